package telemetry

import (
	"context"
	"database/sql"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/password"
)

// The methods here name what is to be asked when somebody looks. Each is called
// once at most, and does nothing if metrics are off.

// Hashes reports how passwords are hashed.
func (t *Telemetry) Hashes(h *password.Hasher) {
	m := t.metrics
	m.counter("password_hashes_total", "Password hashes computed.", func() float64 { return float64(h.Stats().Computed) })
	m.counter("password_refusals_total", "Passwords not looked at because too many waited or for too long.", func() float64 { return float64(h.Stats().Refused) })
	m.gauge("password_waiting", "Callers that wait for a hash.", func() float64 { return float64(h.Stats().Waiting) })
	m.gauge("password_slots", "Hashes that may be computed at once.", func() float64 { return float64(h.Stats().Slots) })
	m.gauge("password_slots_in_use", "Hashes that are being computed.", func() float64 { return float64(h.Stats().InUse) })
}

// Endings reports how much of what has ended is held.
func (t *Telemetry) Endings(entries func() int) {
	t.metrics.gauge("feed_entries", "Entries of what has ended that tokens are compared with.", func() float64 { return float64(entries()) })
}

// Feed reports how the table of what has ended is read and followed.
func (t *Telemetry) Feed(stats func() feed.Stats) {
	m := t.metrics
	m.staleness(func() time.Time { return stats().ReadAt })
	m.gauge("feed_followers", "Resource servers that follow what has ended.", func() float64 { return float64(stats().Followers) })
	ended := desc("ended_total", "Sessions, tokens, users, clients and keys that have ended since this server started, by any server on its database.", "kind", "reason")
	m.collect(func(out chan<- prometheus.Metric) {
		for what, n := range stats().Heard {
			out <- prometheus.MustNewConstMetric(ended, prometheus.CounterValue, float64(n), string(what.Kind), string(what.Reason))
		}
	}, ended)
}

// staleness is how old the news of what has ended are. Before any were heard they
// are as old as the server.
func (m *metrics) staleness(heard func() time.Time) {
	start := time.Now()
	m.gauge("feed_staleness_seconds", "Time since it was last heard what has ended.", func() float64 {
		at := heard()
		if at.IsZero() {
			at = start
		}
		return time.Since(at).Seconds()
	})
}

// Outbox reports what waits to be sent, and what became of what was.
func (t *Telemetry) Outbox(stats func(context.Context) (outbox.Stats, error)) {
	waiting := desc("outbox_waiting", "What waits to be sent, on the database.")
	oldest := desc("outbox_oldest_seconds", "How long the oldest of it has been waiting.")
	done := desc("outbox_done_total", "What this server has done with, by kind and what became of it.", "kind", "outcome")
	t.metrics.collect(func(out chan<- prometheus.Metric) {
		s, err := stats(context.Background())
		for what, n := range s.Done {
			out <- prometheus.MustNewConstMetric(done, prometheus.CounterValue, float64(n), what.Kind, string(what.Outcome))
		}
		if err != nil { // it is not known, and said elsewhere
			return
		}
		age := time.Duration(0)
		if s.Waiting > 0 {
			age = time.Since(s.Oldest)
		}
		out <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, float64(s.Waiting))
		out <- prometheus.MustNewConstMetric(oldest, prometheus.GaugeValue, age.Seconds())
	}, waiting, oldest, done)
}

// SigningKey reports how old the key that signs is; since may be zero.
func (t *Telemetry) SigningKey(since func() time.Time) {
	age := desc("signing_key_age_seconds", "How long the key that signs access tokens has been signing.")
	t.metrics.collect(func(out chan<- prometheus.Metric) {
		if at := since(); !at.IsZero() {
			out <- prometheus.MustNewConstMetric(age, prometheus.GaugeValue, time.Since(at).Seconds())
		}
	}, age)
}

// Database reports the pools of connections to the database, by name.
func (t *Telemetry) Database(stats func() map[string]sql.DBStats) {
	most := desc("database_connections_max", "Connections that the pool may have.", "pool")
	conns := desc("database_connections", "Connections to the database.", "pool", "state")
	waits := desc("database_waits_total", "Times that a connection had to be waited for.", "pool")
	waited := desc("database_wait_seconds_total", "Time spent waiting for connections.", "pool")
	t.metrics.collect(func(out chan<- prometheus.Metric) {
		for pool, s := range stats() {
			out <- prometheus.MustNewConstMetric(most, prometheus.GaugeValue, float64(s.MaxOpenConnections), pool)
			out <- prometheus.MustNewConstMetric(conns, prometheus.GaugeValue, float64(s.InUse), pool, "in_use")
			out <- prometheus.MustNewConstMetric(conns, prometheus.GaugeValue, float64(s.Idle), pool, "idle")
			out <- prometheus.MustNewConstMetric(waits, prometheus.CounterValue, float64(s.WaitCount), pool)
			out <- prometheus.MustNewConstMetric(waited, prometheus.CounterValue, s.WaitDuration.Seconds(), pool)
		}
	}, most, conns, waits, waited)
}

// Redis reports the pool of connections to Redis.
func (t *Telemetry) Redis(stats func() *redis.PoolStats) {
	conns := desc("redis_connections", "Connections to Redis.", "state")
	made := desc("redis_misses_total", "Times that no idle connection was there.")
	timeouts := desc("redis_timeouts_total", "Times that waiting for a connection took too long.")
	t.metrics.collect(func(out chan<- prometheus.Metric) {
		s := stats()
		out <- prometheus.MustNewConstMetric(conns, prometheus.GaugeValue, float64(s.TotalConns-s.IdleConns), "in_use")
		out <- prometheus.MustNewConstMetric(conns, prometheus.GaugeValue, float64(s.IdleConns), "idle")
		out <- prometheus.MustNewConstMetric(made, prometheus.CounterValue, float64(s.Misses))
		out <- prometheus.MustNewConstMetric(timeouts, prometheus.CounterValue, float64(s.Timeouts))
	}, conns, made, timeouts)
}

func (m *metrics) gauge(name, help string, value func() float64) {
	if m != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, value))
	}
}

func (m *metrics) counter(name, help string, value func() float64) {
	if m != nil {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, value))
	}
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

// collector asks once for all that it reports.
type collector struct {
	descs []*prometheus.Desc
	ask   func(chan<- prometheus.Metric)
}

func (m *metrics) collect(ask func(chan<- prometheus.Metric), descs ...*prometheus.Desc) {
	if m != nil {
		m.registry.MustRegister(collector{descs, ask})
	}
}

func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

func (c collector) Collect(out chan<- prometheus.Metric) { c.ask(out) }
