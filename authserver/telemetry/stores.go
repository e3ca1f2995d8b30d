package telemetry

import (
	"context"

	"github.com/tokenwright/tokenwright/authserver"
)

// The stores here are those given, with a span for each call that a request
// makes. The span says which call it was, and not with what.

// Facts is s, traced.
func (t *Telemetry) Facts(s authserver.FactStore) authserver.FactStore {
	if t.traces == nil {
		return s
	}
	return facts{s, t.traces}
}

type facts struct {
	authserver.FactStore
	t *traces
}

func (s facts) Facts(ctx context.Context, a authserver.Ask) (f authserver.Facts, err error) {
	ctx, end := s.t.part(ctx, "FactStore.Facts")
	defer func() { end(err) }()
	return s.FactStore.Facts(ctx, a)
}

// Revocations is s, traced.
func (t *Telemetry) Revocations(s authserver.RevocationLog) authserver.RevocationLog {
	if t.traces == nil {
		return s
	}
	return revocations{s, t.traces}
}

type revocations struct {
	authserver.RevocationLog
	t *traces
}

func (s revocations) End(ctx context.Context, what []authserver.Ending, e authserver.Event) (err error) {
	ctx, end := s.t.part(ctx, "RevocationLog.End")
	defer func() { end(err) }()
	return s.RevocationLog.End(ctx, what, e)
}

func (s revocations) Tombstones(ctx context.Context, subject string, p authserver.Page) (list []authserver.Tombstone, n int, err error) {
	ctx, end := s.t.part(ctx, "RevocationLog.Tombstones")
	defer func() { end(err) }()
	return s.RevocationLog.Tombstones(ctx, subject, p)
}

func (s revocations) SessionEpochs(ctx context.Context, subject string) (list []authserver.SessionEpoch, err error) {
	ctx, end := s.t.part(ctx, "RevocationLog.SessionEpochs")
	defer func() { end(err) }()
	return s.RevocationLog.SessionEpochs(ctx, subject)
}

// Users is s, traced.
func (t *Telemetry) Users(s authserver.UserStore) authserver.UserStore {
	if t.traces == nil {
		return s
	}
	return users{s, t.traces}
}

type users struct {
	authserver.UserStore
	t *traces
}

func (s users) AddUser(ctx context.Context, n authserver.NewUser, e authserver.Event) (u authserver.User, err error) {
	ctx, end := s.t.part(ctx, "UserStore.AddUser")
	defer func() { end(err) }()
	return s.UserStore.AddUser(ctx, n, e)
}

func (s users) User(ctx context.Context, subject string) (u authserver.User, err error) {
	ctx, end := s.t.part(ctx, "UserStore.User")
	defer func() { end(err) }()
	return s.UserStore.User(ctx, subject)
}

func (s users) PasswordHash(ctx context.Context, subject string) (hash string, err error) {
	ctx, end := s.t.part(ctx, "UserStore.PasswordHash")
	defer func() { end(err) }()
	return s.UserStore.PasswordHash(ctx, subject)
}

func (s users) Users(ctx context.Context, p authserver.Page) (list []authserver.User, n int, err error) {
	ctx, end := s.t.part(ctx, "UserStore.Users")
	defer func() { end(err) }()
	return s.UserStore.Users(ctx, p)
}

func (s users) ChangeUser(ctx context.Context, subject string, c authserver.UserChange, e authserver.Event) (u authserver.User, err error) {
	ctx, end := s.t.part(ctx, "UserStore.ChangeUser")
	defer func() { end(err) }()
	return s.UserStore.ChangeUser(ctx, subject, c, e)
}

func (s users) UpgradePasswordHash(ctx context.Context, subject, old, new string) (err error) {
	ctx, end := s.t.part(ctx, "UserStore.UpgradePasswordHash")
	defer func() { end(err) }()
	return s.UserStore.UpgradePasswordHash(ctx, subject, old, new)
}
