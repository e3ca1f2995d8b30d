package telemetry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/password"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/storetest"
	"github.com/tokenwright/tokenwright/authserver/telemetry"
	"github.com/tokenwright/tokenwright/resource"
)

var discard = slog.New(slog.DiscardHandler)

func newTelemetry(t *testing.T, c telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	watched, err := telemetry.New(t.Context(), c, discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := watched.Close(); err != nil {
			t.Error(err)
		}
	})
	return watched
}

func measured(t *testing.T) *telemetry.Telemetry {
	return newTelemetry(t, telemetry.Config{Metrics: true, Version: "1.2.3", Commit: "abc", Go: "go1.26"})
}

// scrape is what Prometheus gets.
func scrape(t *testing.T, watched *telemetry.Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	watched.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// wantLines fails for each line that is not among the metrics.
func wantLines(t *testing.T, watched *telemetry.Telemetry, lines ...string) {
	t.Helper()
	got := "\n" + scrape(t, watched)
	for _, line := range lines {
		if !strings.Contains(got, "\ntokenwright_"+line+"\n") {
			t.Errorf("%s is not in%s", line, got)
		}
	}
}

func newDatabase(t *testing.T) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func newHasher(t *testing.T) *password.Hasher {
	t.Helper()
	h, err := password.New(password.Config{Argon2: password.Argon2Params{Memory: 64, Time: 1, Threads: 1}, Concurrency: 3})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRequests(t *testing.T) {
	watched := measured(t)
	watch := watched.Requests()
	for _, tc := range []struct {
		method, route string
		status        int
	}{
		{"GET", "/auth/sessions/{sid}", 200},
		{"GET", "/auth/sessions/{sid}", 200},
		{"GET", "/auth/sessions/{sid}", 401},
		{"a-secret", "", 404},
		{"another", "", 404},
	} {
		r := httptest.NewRequest("GET", "/auth/sessions/a-secret?refresh_token=a-secret", nil)
		r.Method = tc.method
		_, done := watch(r, tc.route)
		done(tc.status)
	}
	wantLines(t, watched,
		`http_requests_total{method="GET",route="/auth/sessions/{sid}",status="200"} 2`,
		`http_requests_total{method="GET",route="/auth/sessions/{sid}",status="401"} 1`,
		`http_request_duration_seconds_count{method="GET",route="/auth/sessions/{sid}"} 3`,
		// What a stranger makes up makes no series.
		`http_requests_total{method="other",route="none",status="404"} 2`)
	if strings.Contains(scrape(t, watched), "a-secret") {
		t.Error("a request's own words are in the metrics")
	}
}

func TestTokenRequests(t *testing.T) {
	watched := measured(t)
	answered := watched.Answered()
	answered("refresh_token", "")
	answered("password", "invalid_grant")
	answered("", "unsupported_grant_type")
	wantLines(t, watched,
		`token_requests_total{grant="refresh_token",outcome="granted"} 1`,
		`token_requests_total{grant="password",outcome="granted"} 0`,
		`token_requests_total{grant="password",outcome="invalid_grant"} 1`,
		`token_requests_total{grant="other",outcome="unsupported_grant_type"} 1`)
}

func TestRefreshOutcomes(t *testing.T) {
	watched := measured(t)
	db := newDatabase(t)
	secret := [16]byte{1}
	now := time.Now()
	s := authserver.Session{
		ID: authserver.SessionIDText([16]byte{2}), Subject: "00000000-0000-4000-8000-000000000001", ClientID: "web",
		SecretHash: sha256.Sum256(secret[:]), Counter: 5,
		RotatedAt: now, CreatedAt: now, LastUsedAt: now, IdleDeadline: now.Add(time.Hour), Deadline: now.Add(time.Hour),
	}
	sessions := watched.Sessions(db)
	if _, err := sessions.Open(t.Context(), s, 0); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		counter uint32
		outcome authserver.Outcome
	}{
		{"the current token", 5, authserver.Rotated},
		{"REF-012 the one before, within its grace", 5, authserver.Repeated},
		{"an older one", 2, authserver.Reused},
		{"one that the store has lost", 9, authserver.Recovered},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantLines(t, watched, `refreshes_total{outcome="`+tc.outcome.String()+`"} 0`)
			_, got, err := sessions.Advance(t.Context(), s.ID, authserver.Advance{
				Counter: tc.counter, Secret: secret, ClientID: "web", Now: now, Grace: time.Minute, IdleLifetime: time.Hour,
			})
			if err != nil || got != tc.outcome {
				t.Fatalf("got %v, %v; want %v", got, err, tc.outcome)
			}
			wantLines(t, watched, `refreshes_total{outcome="`+tc.outcome.String()+`"} 1`)
		})
	}
}

func TestLimiter(t *testing.T) {
	watched := measured(t)
	rule := limit.Rule{Name: "login", Burst: 1, Per: time.Minute}
	l := watched.Limiter(limit.NewMemory(10))
	for range 3 {
		if _, err := l.Take(t.Context(), rule, "alice 192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	server := miniredis.RunT(t)
	store, err := redisstore.Open(t.Context(), "redis://"+server.Addr(), discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	server.Close()
	if _, err := watched.Limiter(store.Limiter([]byte("key"))).Take(t.Context(), rule, "alice"); !errors.Is(err, authserver.ErrUnavailable) {
		t.Errorf("got %v from a Redis that is away", err)
	}
	wantLines(t, watched, `limiter_refusals_total{rule="login"} 2`, `limiter_unavailable_total{rule="login"} 1`)
}

func TestHashes(t *testing.T) {
	watched := measured(t)
	h := newHasher(t)
	watched.Hashes(h)
	if _, _, err := h.Verify(t.Context(), h.Dummy(""), "a password"); err != nil {
		t.Fatal(err)
	}
	wantLines(t, watched, "password_hashes_total 1", "password_slots 3", "password_slots_in_use 0", "password_waiting 0", "password_refusals_total 0")
}

// RSV-034: how old the news are, and that they are late, is to be seen.
func TestFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watched := measured(t)
		hooks := watched.Follower()
		time.Sleep(3 * time.Second)
		wantLines(t, watched, "feed_staleness_seconds 3", `feed_state{state="lost"} 1`, `feed_state{state="followed"} 0`)
		hooks.FeedChanged(resource.FeedFollowed)
		hooks.FeedHeard(time.Now())
		wantLines(t, watched, "feed_staleness_seconds 0", `feed_state{state="lost"} 0`, `feed_state{state="followed"} 1`)
		time.Sleep(40 * time.Second)
		hooks.FeedChanged(resource.FeedStale)
		wantLines(t, watched, "feed_staleness_seconds 40", `feed_state{state="stale"} 1`, `feed_state{state="followed"} 0`)
	})
}

func TestFeed(t *testing.T) {
	watched := measured(t)
	db, ended := newDatabase(t), resource.NewEnded()
	tail := feed.New(db, ended, 0, discard)
	watched.Feed(tail.Stats)
	watched.Endings(ended.Len)
	if err := tail.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := db.End(t.Context(), []authserver.Ending{{Kind: authserver.KindSession, ID: "s1", Reason: authserver.ReasonReuse}}, authserver.Event{Act: "test"})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, watched, "feed_entries 0", "feed_followers 0")
	tail.Changed(t.Context())
	wantLines(t, watched, "feed_entries 1", `ended_total{kind="session",reason="reuse"} 1`)
}

// Nothing is between the parts and nothing is asked when both are off.
func TestOff(t *testing.T) {
	watched := newTelemetry(t, telemetry.Config{})
	db := newDatabase(t)
	if watched.Sessions(db) != authserver.SessionStore(db) || watched.Facts(db) != authserver.FactStore(db) ||
		watched.Users(db) != authserver.UserStore(db) || watched.Revocations(db) != authserver.RevocationLog(db) {
		t.Error("a store is not the one that was given")
	}
	memory := limit.NewMemory(1)
	if watched.Limiter(memory) != limit.Limiter(memory) {
		t.Error("a limiter is not the one that was given")
	}
	if watched.Requests() != nil || watched.Answered() != nil || watched.Waits() != nil || watched.Follower().FeedHeard != nil {
		t.Error("a hook is there")
	}
	watched.Hashes(newHasher(t))
	watched.Database(db.Stats)
	watched.Endings(func() int { t.Error("asked"); return 0 })
}

// What is measured and traced keeps its contract.
func TestSessionsKeepTheContract(t *testing.T) {
	storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return measured(t).Sessions(newDatabase(t)) })
}

// Names, units and help are as Prometheus wants them, of all that there can be.
func TestConventions(t *testing.T) {
	watched := measured(t)
	db, ended := newDatabase(t), resource.NewEnded()
	master, err := keys.NewMaster("a test's secret of many letters 0123456789")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), db, master, "ES256")
	if err != nil {
		t.Fatal(err)
	}
	redis, err := redisstore.Open(context.Background(), "redis://"+miniredis.RunT(t).Addr(), discard)
	if err != nil {
		t.Fatal(err)
	}
	defer redis.Close()
	watched.Hashes(newHasher(t))
	watched.Endings(ended.Len)
	watched.Feed(feed.New(db, ended, 0, discard).Stats)
	watched.SigningKey(ring.SigningSince)
	watched.Database(db.Stats)
	watched.Redis(redis.Stats)
	_, done := watched.Requests()(httptest.NewRequest("GET", "/", nil), "/")
	done(200)
	apart := measured(t) // a resource server, which has the feed's other end
	apart.Follower()
	for _, text := range []string{scrape(t, watched), scrape(t, apart)} {
		problems, err := promlint.New(bytes.NewBufferString(text)).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, name := range []string{
		"build_info{", "database_connections{", "database_waits_total{", "redis_connections{", "redis_timeouts_total",
		"signing_key_age_seconds", "feed_staleness_seconds", "password_slots", "refreshes_total{", "http_requests_total{",
	} {
		if !strings.Contains(scrape(t, watched), "\ntokenwright_"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}
