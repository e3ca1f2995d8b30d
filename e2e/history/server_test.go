package history

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
	"github.com/tokenwright/tokenwright/authserver/audit"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/authserver/sessions"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/resource"
)

const (
	issuer   = "http://127.0.0.1:8000"
	audience = issuer + "/api"
	secret   = "a test's secret of many letters 0123456789"
	callback = "https://app.example/callback"
)

// phrases are the two passwords that a user changes between.
var phrases = [2]string{"correct horse", "battery staple"}

// graces are the grace periods of the clients, by their ids. The client that has
// none of its own is under the server's.
var graces = map[string]time.Duration{"strict": 0, "brief": 2 * time.Second, "plain": 10 * time.Second}

// long is the grace period of the client that has none of its own, where servers
// are processes.
const long = 5 * time.Minute

// clock is what a server takes for the time: it runs at rate, and is wrong by
// skew.
type clock struct {
	rate int
	skew time.Duration
}

// local is a server in this process.
type local struct {
	*oauth.Server
	users    *account.Users
	sessions *sessions.Sessions
	tail     *feed.Tail
	db       *sqlstore.DB
	key      audit.Key
}

// newLocal joins the real parts, as the program does.
func newLocal(t *testing.T, at store, c clock) *local {
	t.Helper()
	db := at.openDatabase(t)
	records := clocked{at.openSessions(t, db), time.Now(), c}
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.Migrate(ctx))
	master, err := keys.NewMaster(secret)
	must(err)
	db.BeginChain(master.AuditKeys()[0])
	ring, err := keys.Open(ctx, db, master, "ES256")
	must(err)
	hasher, err := password.New(password.Config{
		Algorithm: password.Argon2id, Argon2: password.Argon2Params{Memory: 64, Time: 1, Threads: 1},
		Concurrency: 2, Queue: 1000, Wait: time.Minute,
	})
	must(err)
	roles, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
	must(err)
	logger := slog.New(slog.DiscardHandler)
	ended := resource.NewEnded()
	tail := feed.New(db, ended, 0, logger)
	must(tail.Sync(ctx))
	verifier, err := resource.NewVerifier(resource.VerifierConfig{Issuer: issuer, AnyAudience: true, Keys: ring, Ended: ended})
	must(err)
	notes := audit.NewBatch(db, logger)
	background, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); notes.Run(background) }()
	t.Cleanup(func() { stop(); <-done })
	deps := account.Deps{
		Users: db, Clients: db, Hasher: hasher, Limiter: limit.NewMemory(1000), Master: master, Roles: roles,
		Audience: audience, Changed: tail.Changed, Logger: logger,
	}
	s := &local{db: db, tail: tail, users: account.NewUsers(deps), key: master.AuditKeys()[0]}
	s.sessions = sessions.New(sessions.Deps{
		Facts: db, Store: records, Users: db, Log: db, Changed: tail.Changed, Logger: logger,
	})
	s.Server, err = oauth.New(oauth.Deps{
		Settings: oauth.Settings{
			Issuer: issuer, Audience: audience, AccessLifetime: 30 * time.Minute,
			IdleLifetime: 7 * 24 * time.Hour, SessionLifetime: 30 * 24 * time.Hour, RefreshGrace: graces["plain"],
		},
		Facts: db, Sessions: records, Endings: s.sessions, Audit: db,
		Users: s.users, Clients: account.NewClients(deps), Ring: ring, Master: master, Roles: roles,
		Verifier: verifier, Notes: notes, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// addClients makes the clients of graces.
func (s *local) addClients(t *testing.T) {
	t.Helper()
	for id, grace := range graces {
		spec := account.ClientSpec{
			ID: id, Public: true, Trusted: true, Scopes: []string{"profile"}, RedirectURIs: []string{callback},
			Grants: []string{authserver.GrantAuthorizationCode, authserver.GrantPassword, authserver.GrantRefreshToken},
		}
		if id != "plain" {
			spec.RefreshGrace = &grace
		}
		if _, _, err := s.Clients.Add(t.Context(), spec, "test"); err != nil {
			t.Fatal(err)
		}
	}
}

// clocked tells the store the time of its clock.
type clocked struct {
	authserver.SessionStore
	start time.Time
	clock
}

// Open takes a code's minute for as long as its session: at a clock's rate it
// would be over before the answer arrives.
func (c clocked) Open(ctx context.Context, s authserver.Session, limit int) ([]string, error) {
	if s.Counter == 0 {
		s.IdleDeadline = s.Deadline
	}
	return c.SessionStore.Open(ctx, s, limit)
}

type toldKey struct{}

// told is what the store was told in the course of one request.
type told struct {
	asked bool
	now   int64
}

func (c clocked) Advance(ctx context.Context, id string, a authserver.Advance) (authserver.Session, authserver.Outcome, error) {
	a.Now = c.start.Add(time.Duration(c.rate)*time.Since(c.start) + c.skew).Truncate(time.Millisecond)
	*ctx.Value(toldKey{}).(*told) = told{true, a.Now.UnixMilli()}
	return c.SessionStore.Advance(ctx, id, a)
}

// request is one to the token endpoint, or another that takes a form.
func request(ctx context.Context, form url.Values) (*http.Request, *told) {
	seen := &told{}
	r := httptest.NewRequest("POST", oauth.PathToken, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ctx = authserver.WithCaller(ctx, authserver.Caller{IP: "192.0.2.1", UserAgent: "test"})
	return r.WithContext(context.WithValue(ctx, toldKey{}, seen)), seen
}

func (s *local) token(ctx context.Context, form url.Values) (tokens, told, error) {
	r, seen := request(ctx, form)
	res, err := s.Token(r)
	return tokens{res.RefreshToken, res.AccessToken}, *seen, outcome(ctx, err)
}

func (s *local) revoke(ctx context.Context, form url.Values) error {
	r, _ := request(ctx, form)
	return outcome(ctx, s.Revoke(r))
}

func (s *local) logout(ctx context.Context, b bearer) error {
	return outcome(ctx, s.sessions.Logout(ctx, sessions.Of(&b.Claims)))
}

func (s *local) endOthers(ctx context.Context, b bearer) error {
	return outcome(ctx, s.sessions.EndOthers(ctx, sessions.Of(&b.Claims)))
}

func (s *local) change(ctx context.Context, b bearer, current, wanted string) error {
	return outcome(ctx, s.ChangePassword(ctx, sessions.Of(&b.Claims), current, wanted))
}

// outcome is what err is for a client: one that hung up or that was told to come
// again later does not know what has happened.
func outcome(ctx context.Context, err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	switch {
	case err == nil:
		return nil
	case ok && e.Code == oauth.CodeInvalidGrant, errors.Is(err, authserver.ErrSessionEnded),
		errors.Is(err, account.ErrWrongPassword), errors.Is(err, account.ErrWrongCredentials):
		return errRefused
	case ctx.Err() != nil, errors.Is(err, authserver.ErrUnavailable):
		return errUnheard
	}
	return err
}
