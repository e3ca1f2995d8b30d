package telemetry

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver/limit"
)

// Limiter is l, traced, and with counts of what it refuses and of when it could
// not tell.
func (t *Telemetry) Limiter(l limit.Limiter) limit.Limiter {
	if t.off() {
		return l
	}
	return limiter{l, t}
}

type limiter struct {
	limit.Limiter
	t *Telemetry
}

func (l limiter) Take(ctx context.Context, r limit.Rule, key string) (d limit.Decision, err error) {
	ctx, end := l.t.traces.part(ctx, "Limiter.Take")
	defer func() { end(err) }()
	d, err = l.Limiter.Take(ctx, r, key)
	if m := l.t.metrics; m != nil {
		switch {
		case err != nil:
			m.unavailable.WithLabelValues(r.Name).Inc()
		case !d.Allowed:
			m.refusals.WithLabelValues(r.Name).Inc()
		}
	}
	return d, err
}

func (l limiter) Return(ctx context.Context, r limit.Rule, key string) (err error) {
	ctx, end := l.t.traces.part(ctx, "Limiter.Return")
	defer func() { end(err) }()
	return l.Limiter.Return(ctx, r, key)
}
