package telemetry

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
)

// Sessions is s, traced, and with the outcomes of Advance counted.
func (t *Telemetry) Sessions(s authserver.SessionStore) authserver.SessionStore {
	if t.off() {
		return s
	}
	return sessions{s, t}
}

type sessions struct {
	authserver.SessionStore
	t *Telemetry
}

func (s sessions) Advance(ctx context.Context, id string, a authserver.Advance) (session authserver.Session, o authserver.Outcome, err error) {
	ctx, end := s.t.traces.part(ctx, "SessionStore.Advance")
	defer func() { end(err) }()
	session, o, err = s.SessionStore.Advance(ctx, id, a)
	if err == nil && s.t.metrics != nil {
		s.t.metrics.refreshes.WithLabelValues(o.String()).Inc()
	}
	return session, o, err
}

func (s sessions) Open(ctx context.Context, n authserver.Session, perUser int) (excess []string, err error) {
	ctx, end := s.t.traces.part(ctx, "SessionStore.Open")
	defer func() { end(err) }()
	return s.SessionStore.Open(ctx, n, perUser)
}

func (s sessions) Session(ctx context.Context, id string) (session authserver.Session, err error) {
	ctx, end := s.t.traces.part(ctx, "SessionStore.Session")
	defer func() { end(err) }()
	return s.SessionStore.Session(ctx, id)
}

func (s sessions) Sessions(ctx context.Context, subject string, p authserver.Page) (list []authserver.Session, n int, err error) {
	ctx, end := s.t.traces.part(ctx, "SessionStore.Sessions")
	defer func() { end(err) }()
	return s.SessionStore.Sessions(ctx, subject, p)
}

func (s sessions) Drop(ctx context.Context, id string) (err error) {
	ctx, end := s.t.traces.part(ctx, "SessionStore.Drop")
	defer func() { end(err) }()
	return s.SessionStore.Drop(ctx, id)
}
