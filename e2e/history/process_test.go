package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/e2e/program"
)

// remote is a server in a process of its own, which is killed and started again.
type remote struct {
	client  *http.Client
	dir     string
	env     []string
	process atomic.Pointer[program.Process]
}

// newRemote starts the program on a store. Whoever has a grace period has one
// that is longer than a history: what the store was told cannot be seen.
func newRemote(t *testing.T, at store) *remote {
	t.Helper()
	r := &remote{
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 50}},
		dir:    t.TempDir(),
		env: []string{
			"DATABASE_URL=" + at.database, "REDIS_URL=" + at.redis, "SECRET_KEY=" + secret, "ISSUER=" + issuer,
			"REFRESH_GRACE_SECONDS=" + strconv.Itoa(int(long.Seconds())), "LOGIN_RATE=off", "LOGIN_RATE_IP=off",
		},
	}
	r.process.Store(binary.Serve(t, r.dir, r.env))
	t.Cleanup(func() { r.process.Load().Kill() })
	t.Cleanup(r.client.CloseIdleConnections)
	return r
}

// restart kills the process and starts it again, as whatever watches over it
// would: once more if its stores are too slow for it to start.
func (r *remote) restart() error {
	r.process.Load().Kill()
	for {
		p, err := binary.Start(r.dir, r.env)
		switch {
		case err == nil:
			r.process.Store(p)
			return nil
		case !strings.Contains(err.Error(), authserver.ErrUnavailable.Error()):
			return fmt.Errorf("serve: %w", err)
		}
	}
}

func (r *remote) token(ctx context.Context, form url.Values) (tokens, told, error) {
	a, err := r.ask(ctx, "POST", "/oauth/token", "", form)
	return tokens{a.Refresh, a.Access}, told{asked: true}, err
}

func (r *remote) revoke(ctx context.Context, form url.Values) error {
	_, err := r.ask(ctx, "POST", "/oauth/revoke", "", form)
	return err
}

func (r *remote) logout(ctx context.Context, b bearer) error {
	_, err := r.ask(ctx, "POST", "/auth/logout", b.access, nil)
	return err
}

func (r *remote) endOthers(ctx context.Context, b bearer) error {
	_, err := r.ask(ctx, "DELETE", "/auth/sessions", b.access, nil)
	return err
}

func (r *remote) change(ctx context.Context, b bearer, current, wanted string) error {
	body, err := json.Marshal(map[string]string{"current_password": current, "new_password": wanted})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", r.process.Load().Base+"/auth/password", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+b.access)
	_, err = r.do(req)
	return err
}

func (r *remote) ask(ctx context.Context, method, path, access string, form url.Values) (program.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.process.Load().Base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return program.Answer{}, err
	}
	if access == "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.Header.Set("Authorization", "Bearer "+access)
	}
	return r.do(req)
}

// do sends a request and says what its answer means.
func (r *remote) do(req *http.Request) (program.Answer, error) {
	a, err := program.Do(r.client, req)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return a, errUnsent
	case err != nil, a.Status == http.StatusServiceUnavailable:
		return a, errUnheard
	case a.Status == http.StatusBadRequest && (strings.Contains(a.Body, `"invalid_grant"`) || strings.Contains(a.Body, "Incorrect password")),
		a.Status == http.StatusUnauthorized && strings.HasPrefix(req.Header.Get("Authorization"), "Bearer "):
		return a, errRefused
	case a.Status/100 != 2:
		return a, fmt.Errorf("%s: %d %s", req.URL.Path, a.Status, a.Body)
	}
	return a, nil
}

// REF-015, REF-016, REF-024: the histories of two servers that are killed again
// and again in the middle of what they are asked are linearizable too. A call
// that broke off has taken effect or has not, and nothing else.
func TestHistoriesOfKilledServersAreLinearizable(t *testing.T) {
	for _, kind := range []struct {
		name  string
		start func(*testing.T) func(*testing.T) store
	}{
		{"SQLite", sqlite},
		{"PostgreSQL", postgres},
		{"Redis", realRedis},
	} {
		t.Run(kind.name, func(t *testing.T) {
			at := kind.start(t)(t)
			desk := newLocal(t, at, clock{rate: 1})
			one, two := newRemote(t, at), newRemote(t, at)
			w := desk.world(t, []string{"strict", "plain"}, one, two)
			start, kills := begin(t), 0
			stop := make(chan struct{})
			var killer sync.WaitGroup
			killer.Go(func() {
				rng := rand.New(rand.NewPCG(start, workers))
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Duration(rng.IntN(300)) * time.Millisecond):
					}
					if err := []*remote{one, two}[rng.IntN(2)].restart(); err != nil {
						t.Error(err)
						return
					}
					kills++
				}
			})
			w.check(t, start, operations()/10)
			close(stop)
			killer.Wait()
			t.Logf("%d kills", kills)
			if kills < 3 {
				t.Error("too few kills for this to prove anything")
			}
			if t.Failed() {
				t.Logf("the servers say:\n%s\n%s", one.process.Load().Log(), two.process.Load().Log())
			}
		})
	}
}
