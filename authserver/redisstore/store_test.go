package redisstore_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func open(t testing.TB, url string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// inspect is a plain connection to the same server.
func inspect(t testing.TB, rawURL string) *redis.Client {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: u.Host})
	t.Cleanup(func() { c.Close() })
	return c
}

func newSession(subject string) (authserver.Session, [16]byte) {
	var id, secret [16]byte
	rand.Read(id[:])
	rand.Read(secret[:])
	now := time.Now().UTC().Truncate(time.Millisecond)
	return authserver.Session{
		ID: authserver.SessionIDText(id), Subject: subject,
		ClientID: "web", ClientIncarnation: 1<<62 + 1,
		Scope:      []string{"profile", "read", "write"},
		Resources:  []string{"https://api.example.test"},
		SecretHash: sha256.Sum256(secret[:]), Counter: 1,
		RotatedAt: now, CreatedAt: now, LastUsedAt: now,
		IdleDeadline: now.Add(7 * 24 * time.Hour), Deadline: now.Add(30 * 24 * time.Hour),
		IP: "192.0.2.1", UserAgent: strings.Repeat("u", authserver.MaxUserAgent),
	}, secret
}

func present(s authserver.Session, secret [16]byte) authserver.Advance {
	return authserver.Advance{
		Counter: s.Counter, Secret: secret, ClientID: s.ClientID, ClientIncarnation: s.ClientIncarnation,
		Now: time.Now(), Grace: 10 * time.Second, IdleLifetime: 7 * 24 * time.Hour,
		IP: s.IP, UserAgent: s.UserAgent,
	}
}

func mustOpen(t testing.TB, s *redisstore.Store, session authserver.Session) {
	t.Helper()
	if _, err := s.Open(t.Context(), session, 100); err != nil {
		t.Fatal(err)
	}
}

func TestSessions(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		m := miniredis.RunT(t)
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, "redis://"+m.Addr()) })
	})
	t.Run("redis", func(t *testing.T) {
		url := redistest.Start(t)
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, url) })
	})
}

func TestTwoServersShareOneRedis(t *testing.T) {
	url := redistest.Start(t)
	stores := []authserver.SessionStore{open(t, url), open(t, url)}
	for _, tc := range []struct {
		name  string
		grace time.Duration
		rest  authserver.Outcome
	}{
		{"REF-015 with grace all get the same successor", 10 * time.Second, authserver.Repeated},
		{"REF-016 with grace 0 exactly one wins", 0, authserver.Reused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, secret := newSession(uuid.NewString())
			if _, err := stores[0].Open(t.Context(), s, 0); err != nil {
				t.Fatal(err)
			}
			a := present(s, secret)
			a.Grace = tc.grace
			got := storetest.ParallelAdvance(t, stores, s.ID, a, 50)
			if got[authserver.Rotated] != 1 || got[tc.rest] != 49 {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestNoSecretIsStored(t *testing.T) {
	// REF-022: neither a token nor its secret nor its key is in any key or value.
	rawURL := redistest.Start(t)
	s := open(t, rawURL)
	key := authserver.RefreshKey{ID: [4]byte{1, 2, 3, 4}, Key: []byte("0123456789abcdef0123456789abcdef")}
	subject, _ := authserver.ParseSubject(uuid.NewString())
	session, secret := newSession("")
	token := authserver.RefreshToken{Subject: subject, Secret: secret}
	session.Subject = token.Sub()
	id, err := base64.RawURLEncoding.DecodeString(session.ID)
	if err != nil {
		t.Fatal(err)
	}
	token.SessionID = [16]byte(id)
	mustOpen(t, s, session)
	tokens := []string{token.Encode(key)}
	for range 3 {
		a := present(session, secret)
		a.Counter = token.Counter
		if _, _, err := s.Advance(t.Context(), session.ID, a); err != nil {
			t.Fatal(err)
		}
		token.Counter++
		tokens = append(tokens, token.Encode(key))
	}
	hidden := map[string]string{
		"the secret": string(secret[:]), "the secret in hex": hex.EncodeToString(secret[:]),
		"the secret in base64": base64.RawStdEncoding.EncodeToString(secret[:]), "the secret in base64url": base64.RawURLEncoding.EncodeToString(secret[:]),
		"the token's prefix": authserver.RefreshTokenPrefix, "the key": string(key.Key),
	}
	for i, tok := range tokens {
		hidden[fmt.Sprintf("token %d's MAC", i)] = tok[len(tok)-40:]
	}
	all := dump(t, inspect(t, rawURL))
	if !strings.Contains(all, session.ID) || !strings.Contains(all, string(session.SecretHash[:])) {
		t.Fatal("the dump lacks the session")
	}
	for what, text := range hidden {
		if strings.Contains(all, text) {
			t.Errorf("%s is in Redis", what)
		}
	}
}

// dump is every key with its value.
func dump(t *testing.T, c *redis.Client) string {
	t.Helper()
	var b strings.Builder
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		kind := c.Type(t.Context(), key).Val()
		switch kind {
		case "hash":
			fmt.Fprintln(&b, key, c.HGetAll(t.Context(), key).Val())
		case "zset":
			fmt.Fprintln(&b, key, c.ZRangeWithScores(t.Context(), key, 0, -1).Val())
		default:
			t.Errorf("key %s is a %s", key, kind)
		}
	}
	return b.String()
}

func TestStorageIsBounded(t *testing.T) {
	rawURL := redistest.Start(t)
	s, c := open(t, rawURL), inspect(t, rawURL)
	withTTL := func(t *testing.T, want int) {
		t.Helper()
		keys := c.Keys(t.Context(), "*").Val()
		if len(keys) != want {
			t.Errorf("%d keys, want %d", len(keys), want)
		}
		for _, key := range keys {
			if ttl := c.PTTL(t.Context(), key).Val(); ttl <= 0 {
				t.Errorf("%s has no expiry", key)
			}
		}
	}
	t.Run("REF-023 every key has an expiry, and there is one for a session however often it is refreshed", func(t *testing.T) {
		for range 10 {
			subject := uuid.NewString()
			for range 3 {
				session, secret := newSession(subject)
				mustOpen(t, s, session)
				for n := range uint32(20) {
					a := present(session, secret)
					a.Counter += n
					if _, outcome, err := s.Advance(t.Context(), session.ID, a); err != nil || outcome != authserver.Rotated {
						t.Fatal(outcome, err)
					}
				}
			}
		}
		withTTL(t, 10*3+10)
	})
	t.Run("REF-023 a session that is past its deadline leaves nothing", func(t *testing.T) {
		c.FlushAll(t.Context())
		session, _ := newSession(uuid.NewString())
		session.Deadline = time.Now().Add(-time.Second)
		session.IdleDeadline = session.Deadline
		mustOpen(t, s, session)
		withTTL(t, 0)
	})
	t.Run("a session leaves by its idle deadline, which moves", func(t *testing.T) {
		c.FlushAll(t.Context())
		session, secret := newSession(uuid.NewString())
		session.IdleDeadline = time.Now().Add(time.Minute)
		mustOpen(t, s, session)
		leaves := func() time.Time {
			return time.UnixMilli(c.PExpireTime(t.Context(), "tw:{"+session.ID+"}").Val().Milliseconds())
		}
		if at := leaves(); at.UnixMilli() != session.IdleDeadline.UnixMilli() {
			t.Errorf("leaves at %v, want %v", at, session.IdleDeadline)
		}
		for _, keep := range []bool{false, true} {
			a := present(session, secret)
			a.Keep, a.Now = keep, a.Now.Add(time.Second)
			var err error
			if session, _, err = s.Advance(t.Context(), session.ID, a); err != nil {
				t.Fatal(err)
			}
			if at := leaves(); at.UnixMilli() != session.IdleDeadline.UnixMilli() || time.Until(at) < 6*24*time.Hour {
				t.Errorf("keep %t: leaves at %v, want %v", keep, at, session.IdleDeadline)
			}
		}
	})
	t.Run("REF-023 a user's set lasts as long as the longest session", func(t *testing.T) {
		c.FlushAll(t.Context())
		subject := uuid.NewString()
		long, _ := newSession(subject)
		short, _ := newSession(subject)
		short.Deadline = time.Now().Add(30 * time.Minute)
		dead, _ := newSession(subject)
		dead.Deadline = time.Now().Add(-time.Hour)
		shorter, _ := newSession(subject)
		shorter.Deadline = short.Deadline
		for _, session := range []authserver.Session{short, long, shorter, dead} {
			session.IdleDeadline = session.Deadline
			mustOpen(t, s, session)
		}
		withTTL(t, 4)
		if at := c.PExpireTime(t.Context(), "tw:user:{"+subject+"}").Val(); at.Milliseconds() != long.Deadline.UnixMilli() {
			t.Errorf("the set ends at %v, want %v", at.Milliseconds(), long.Deadline.UnixMilli())
		}
	})
	t.Run("a session of the greatest ordinary size keeps the compact encoding", func(t *testing.T) {
		c.FlushAll(t.Context())
		session, secret := newSession(uuid.NewString())
		session.ClientID = strings.Repeat("c", 64)
		session.Scope, session.Resources = nil, nil
		for i := range 100 { // 1,000 bytes in all
			session.Scope = append(session.Scope, fmt.Sprintf("scope%04d", i))
		}
		for i := range 5 {
			session.Resources = append(session.Resources, fmt.Sprintf("https://%d.%s.example.test", i, strings.Repeat("r", 60)))
		}
		mustOpen(t, s, session)
		a := present(session, secret)
		a.Scope = session.Scope
		if _, outcome, err := s.Advance(t.Context(), session.ID, a); err != nil || outcome != authserver.Rotated {
			t.Fatal(outcome, err)
		}
		key := "tw:{" + session.ID + "}"
		if enc := c.ObjectEncoding(t.Context(), key).Val(); enc != "listpack" {
			t.Errorf("encoding %s", enc)
		}
		ordinary, _ := newSession(uuid.NewString())
		mustOpen(t, s, ordinary)
		t.Logf("an ordinary session takes %d bytes, the greatest %d",
			c.MemoryUsage(t.Context(), "tw:{"+ordinary.ID+"}").Val(), c.MemoryUsage(t.Context(), key).Val())
	})
	t.Run("a listing forgets the ids of sessions that are gone", func(t *testing.T) {
		c.FlushAll(t.Context())
		subject := uuid.NewString()
		kept, _ := newSession(subject)
		lost, _ := newSession(subject)
		mustOpen(t, s, kept)
		mustOpen(t, s, lost)
		c.Del(t.Context(), "tw:{"+lost.ID+"}")
		if _, total, err := s.Sessions(t.Context(), subject, authserver.Page{}); total != 1 || err != nil {
			t.Errorf("got %d, %v", total, err)
		}
		if ids := c.ZRange(t.Context(), "tw:user:{"+subject+"}", 0, -1).Val(); len(ids) != 1 || ids[0] != kept.ID {
			t.Errorf("the set has %v", ids)
		}
		if err := s.Drop(t.Context(), kept.ID); err != nil {
			t.Fatal(err)
		}
		withTTL(t, 0)
	})
}

func TestRedisGoesAway(t *testing.T) {
	// REF-025: every method gives up within 2 s, and works again afterwards.
	srv := redistest.New(t, "")
	s := open(t, srv.URL)
	session, secret := newSession(uuid.NewString())
	mustOpen(t, s, session)
	srv.Stop()
	t.Run("REF-025 a Redis that has stopped", func(t *testing.T) { wantAway(t, s, session, secret) })
	srv.Start()
	wantBack(t, s, 2*time.Second)
	t.Run("REF-025 a Redis that is back has lost the session, and calls nothing reuse", func(t *testing.T) {
		if _, _, err := s.Advance(t.Context(), session.ID, present(session, secret)); !errors.Is(err, authserver.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		mustOpen(t, s, session)
		if _, outcome, err := s.Advance(t.Context(), session.ID, present(session, secret)); err != nil || outcome != authserver.Rotated {
			t.Errorf("got %v, %v", outcome, err)
		}
	})
	t.Run("REF-025 a Redis that hangs", func(t *testing.T) {
		srv.Hang()
		wantAway(t, s, session, secret)
	})
}

// wantBack asks until Redis answers. After many vain connections the library
// tries one a second.
func wantBack(t *testing.T, s *redisstore.Store, within time.Duration) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); ; <-tick.C {
		_, err := s.Ping(t.Context())
		if err == nil {
			t.Logf("back after %v", time.Since(start))
			return
		}
		if time.Since(start) > within {
			t.Fatalf("not back after %v: %v", within, err)
		}
	}
}

// wantAway calls every method several times at once. All must say within 2 s
// that Redis is away.
func wantAway(t *testing.T, s *redisstore.Store, session authserver.Session, secret [16]byte) {
	t.Helper()
	l := s.Limiter(limiterKey)
	rule := limit.Rule{Name: "login", Burst: 10, Per: time.Minute}
	var wg sync.WaitGroup
	for name, call := range map[string]func(context.Context) error{
		"Open": func(ctx context.Context) error { _, err := s.Open(ctx, session, 1); return err },
		"Advance": func(ctx context.Context) error {
			_, _, err := s.Advance(ctx, session.ID, present(session, secret))
			return err
		},
		"Session": func(ctx context.Context) error { _, err := s.Session(ctx, session.ID); return err },
		"Sessions": func(ctx context.Context) error {
			_, _, err := s.Sessions(ctx, session.Subject, authserver.Page{})
			return err
		},
		"Drop":   func(ctx context.Context) error { return s.Drop(ctx, session.ID) },
		"Ping":   func(ctx context.Context) error { _, err := s.Ping(ctx); return err },
		"Wake":   s.Wake,
		"Take":   func(ctx context.Context) error { _, err := l.Take(ctx, rule, "alice"); return err },
		"Return": func(ctx context.Context) error { return l.Return(ctx, rule, "alice") },
	} {
		bound := 2 * time.Second
		if name == "Wake" {
			bound = time.Second / 2
		}
		for range 10 {
			wg.Go(func() {
				start := time.Now()
				err := call(t.Context())
				if took := time.Since(start); !errors.Is(err, authserver.ErrUnavailable) || took > bound {
					t.Errorf("%s: %v after %v", name, err, took)
				}
			})
		}
	}
	wg.Wait()
}

func TestRefusals(t *testing.T) {
	const secret = "p4ss-w0rd"
	locked := redistest.New(t, secret)
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}()
	addr := locked.URL[strings.LastIndexByte(locked.URL, '@')+1:]
	for _, tc := range []struct{ name, url, want string }{
		{"Redis wants a password", "redis://" + addr, "wants a password"},
		{"a wrong password", "redis://:not-" + secret + "@" + addr, "refuses the user or the password"},
		{"a user who is not there", "redis://nobody:" + secret + "@" + addr, "refuses the user or the password"},
		{"Redis is away", "redis://:" + secret + "@" + closed, "does not answer"},
		{"TLS to a server without", "rediss://:" + secret + "@" + addr, "does not answer"},
		{"a host that is not there", "redis://:" + secret + "@no-such-host.invalid:6379", "does not answer"},
		{"a password that breaks the URL", "redis://:" + secret + "/x@" + addr, "percent-encoded"},
		{"another scheme", "http://:" + secret + "@" + addr, "unknown scheme"},
		{"Sentinels that are away", "redis+sentinel://:" + secret + "@" + closed + "," + closed + "/tw", "does not answer"},
		{"Sentinels without a master's name", "redis+sentinel://:" + secret + "@a,b", "names no master"},
		{"Sentinels that are no Sentinels", "redis+sentinel://:" + secret + "@" + addr + "/tw", "does not answer"},
		{"a cluster that is away", "redis+cluster://:" + secret + "@" + closed + "," + closed, "does not answer"},
		{"a cluster that is none", "redis+cluster://:" + secret + "@" + addr, "not one of a cluster"},
		{"a database in a cluster", "redis+cluster://" + addr + "/1", "only one"},
		{"several hosts of one server", "redis://a,b", "redis+cluster://"},
		{"no host", "redis:///0", "names no host"},
		{"no second host", "redis+cluster://a,", "names no host"},
		{"a port that is no number", "redis+cluster://a:x,b:1", "not a URL"},
		{"a database that is no number", "redis://:" + secret + "@" + addr + "/x", "database is not a number"},
		{"a database that is no number, in the query", "redis+sentinel://" + addr + "/tw?db=-1", "database is not a number"},
		{"a query", "redis://" + addr + "?password=" + secret, "query"},
		{"a query that cannot be read", "redis://" + addr + "?tls=true;" + secret, "cannot be read"},
		{"TLS without a value", "redis://" + addr + "?tls=", "no value or several"},
		{"TLS twice", "redis://" + addr + "?tls=false&tls=true", "no value or several"},
		{"a fragment", "redis://" + addr + "#" + secret, "fragment"},
		{"TLS or not", "redis://" + addr + "?tls=" + secret, "neither true nor false"},
		{"TLS and not", "rediss://" + addr + "?tls=false", "contradicts"},
		{"a CA without TLS", "redis://" + addr + "?ca=/ca.pem", "add tls=true"},
		{"a CA that is not there", "rediss://" + addr + "?ca=/no/such/file", "cannot be read"},
		{"a CA that is none", "rediss://" + addr + "?ca=/dev/null", "no certificate"},
		{"nothing", "", "unknown scheme"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Now()
			_, err := redisstore.Open(t.Context(), tc.url, slog.New(slog.DiscardHandler))
			if err == nil {
				t.Fatal("no error")
			}
			text := err.Error()
			t.Log(text)
			if !strings.Contains(text, "REDIS_URL") || !strings.Contains(text, tc.want) || strings.Contains(text, "\n") {
				t.Errorf("got %q, want REDIS_URL and %q in one line", text, tc.want)
			}
			if strings.Contains(text, secret) {
				t.Errorf("the password is in %q", text)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	t.Run("the right password opens", func(t *testing.T) { open(t, locked.URL+"/3") })
	admin := redis.NewClient(&redis.Options{Addr: addr, Password: secret})
	defer admin.Close()
	user := func(t *testing.T, rules ...any) error {
		args := append([]any{"acl", "setuser", "tokenwright", "reset", "on", ">" + secret}, rules...)
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		s, err := redisstore.Open(t.Context(), "redis://tokenwright:"+secret+"@"+addr, slog.New(slog.DiscardHandler))
		if err == nil {
			s.Close()
		}
		return err
	}
	for name, rules := range map[string][]any{
		"a user who may not run scripts":     {"~tw:*", "&tw:*", "+@all", "-@scripting"},
		"a user who has not the sessions":    {"~other:*", "&tw:*", "+@all"},
		"a user who may not publish wake-up": {"~tw:*", "+@all"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := user(t, rules...); err == nil || !strings.Contains(err.Error(), "may not do") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a user with the least rights that are enough", func(t *testing.T) {
		if err := user(t, "~tw:*", "&tw:wake", "+@read", "+@write", "+@scripting", "+@transaction", "+@pubsub", "+time"); err != nil {
			t.Fatal(err)
		}
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, "redis://tokenwright:"+secret+"@"+addr) })
	})
}

func wantRefusal(t *testing.T, rawURL, want string) {
	t.Helper()
	_, err := redisstore.Open(t.Context(), rawURL, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want %q", err, want)
	}
	t.Log(err)
}

func TestEvictionIsWarnedAbout(t *testing.T) {
	rawURL := redistest.Start(t)
	for policy, warned := range map[string]bool{"noeviction": false, "allkeys-lru": true} {
		t.Run(policy, func(t *testing.T) {
			inspect(t, rawURL).ConfigSet(t.Context(), "maxmemory-policy", policy)
			var log bytes.Buffer
			s, err := redisstore.Open(t.Context(), rawURL, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := strings.Contains(log.String(), "allkeys-lru"); got != warned {
				t.Errorf("warned: %v, log %q", got, log.String())
			}
		})
	}
}

func BenchmarkAdvance(b *testing.B) {
	s := open(b, redistest.Start(b))
	session, secret := newSession(uuid.NewString())
	mustOpen(b, s, session)
	a := present(session, secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, outcome, err := s.Advance(b.Context(), session.ID, a); err != nil || outcome != authserver.Rotated {
			b.Fatal(outcome, err)
		}
		a.Counter++
	}
}

func BenchmarkAdvanceParallel(b *testing.B) {
	s := open(b, redistest.Start(b))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		session, secret := newSession(uuid.NewString())
		mustOpen(b, s, session)
		a := present(session, secret)
		for pb.Next() {
			if _, outcome, err := s.Advance(b.Context(), session.ID, a); err != nil || outcome != authserver.Rotated {
				b.Error(outcome, err)
				return
			}
			a.Counter++
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	s := open(b, redistest.Start(b))
	b.ReportAllocs()
	for b.Loop() {
		session, _ := newSession(uuid.NewString())
		mustOpen(b, s, session)
	}
}
