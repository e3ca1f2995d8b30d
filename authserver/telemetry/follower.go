package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenwright/tokenwright/resource"
)

// Follower returns what a resource server's verifier is to tell: the age of the
// news of what has ended and the state of the feed are then reported.
func (t *Telemetry) Follower() resource.Hooks {
	if t.metrics == nil {
		return resource.Hooks{}
	}
	var heard atomic.Pointer[time.Time]
	var state atomic.Value // of resource.FeedState
	state.Store(resource.FeedLost)
	t.metrics.staleness(func() time.Time {
		if at := heard.Load(); at != nil {
			return *at
		}
		return time.Time{}
	})
	is := desc("feed_state", "1 for the state that the feed of what has ended is in, 0 for the others.", "state")
	t.metrics.collect(func(out chan<- prometheus.Metric) {
		for _, s := range []resource.FeedState{resource.FeedFollowed, resource.FeedLost, resource.FeedRefused, resource.FeedStale} {
			value := 0.0
			if s == state.Load() {
				value = 1
			}
			out <- prometheus.MustNewConstMetric(is, prometheus.GaugeValue, value, string(s))
		}
	}, is)
	return resource.Hooks{
		FeedHeard:   func(at time.Time) { heard.Store(&at) },
		FeedChanged: func(s resource.FeedState) { state.Store(s) },
	}
}
