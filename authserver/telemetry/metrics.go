package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oauth"
)

// metrics are what is counted as it happens. A nil *metrics counts nothing.
type metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	tokens      *prometheus.CounterVec
	refreshes   *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	unavailable *prometheus.CounterVec
}

const prefix = "tokenwright_"

// buckets reach from a refresh in memory to a login that waits for its hash.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics(c Config) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.requests = m.counters("http_requests_total", "Requests answered, by route pattern, method and status.", "route", "method", "status")
	m.durations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: prefix + "http_request_duration_seconds", Help: "Time from a request's head to its answer's end.", Buckets: buckets,
	}, []string{"route", "method"})
	m.tokens = m.counters("token_requests_total", "Token requests by grant and outcome: granted, or why not.", "grant", "outcome")
	m.refreshes = m.counters("refreshes_total", "Refresh tokens presented to the session that they belong to, by what became of them.", "outcome")
	m.refusals = m.counters("limiter_refusals_total", "Attempts refused as too many, by rule.", "rule")
	m.unavailable = m.counters("limiter_unavailable_total", "Attempts let through because the limiter could not be asked, by rule.", "rule")
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: prefix + "build_info", Help: "Always 1; the labels say which build this is.",
	}, []string{"version", "commit", "goversion"})
	build.WithLabelValues(c.Version, c.Commit, c.Go).Set(1)
	m.registry.MustRegister(m.durations, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	// From the start, so that the first of its kind is an increase.
	for _, o := range []authserver.Outcome{authserver.Rotated, authserver.Repeated, authserver.Reused, authserver.Recovered} {
		m.refreshes.WithLabelValues(o.String())
	}
	for _, grant := range []string{authserver.GrantPassword, authserver.GrantRefreshToken, authserver.GrantClientCredentials} {
		m.tokens.WithLabelValues(grant, granted)
	}
	return m
}

func (m *metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) request(method, route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(route, method).Observe(took.Seconds())
}

// granted is the outcome of a token request that has no error code.
const granted = "granted"

// Answered is oauth's; nil if metrics are off.
func (t *Telemetry) Answered() func(grant string, code oauth.Code) {
	if t.metrics == nil {
		return nil
	}
	tokens := t.metrics.tokens
	return func(grant string, code oauth.Code) {
		if grant == "" {
			grant = "other"
		}
		outcome := string(code)
		if code == "" {
			outcome = granted
		}
		tokens.WithLabelValues(grant, outcome).Inc()
	}
}

// Handler serves GET /metrics, and nothing else. Metrics must be on.
func (t *Telemetry) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}
