package resource_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

// network joins resource servers to an issuer by pipes, which a synctest bubble
// can wait for.
type network struct {
	*resourcetest.Server
	handler http.Handler // s, unless a test has another

	mu     sync.Mutex
	server *http.Server
	conns  *pipes
}

// newNetwork returns an issuer that is up.
func newNetwork(t *testing.T) *network {
	s := resourcetest.NewHandler(t, "https://auth.example.test")
	n := &network{Server: s, handler: s}
	n.up()
	t.Cleanup(func() {
		n.down()
		synctest.Wait()
	})
	return n
}

func (n *network) up() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	n.server = &http.Server{Handler: n.handler}
	go n.server.Serve(n.conns)
}

func (n *network) down() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil {
		n.server.Close()
	}
	n.server, n.conns = nil, nil
}

// RoundTrip dials anew each time: nothing idle is left behind.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	t := &http.Transport{DisableKeepAlives: true, DialTLSContext: n.dial}
	return t.RoundTrip(r)
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	conns := n.conns
	n.mu.Unlock()
	if conns == nil {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	select {
	case conns.accept <- theirs:
		return ours, nil
	case <-conns.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipes is a net.Listener.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// follower is a resource server and what its hooks have heard.
type follower struct {
	*resource.Verifier
	mu     sync.Mutex
	states []resource.FeedState
	cached []bool
}

// follow starts a resource server that trusts n.
func (n *network) follow(t *testing.T, edits ...func(*resource.Config)) *follower {
	t.Helper()
	f := &follower{}
	c := n.Config()
	c.Transport = n
	c.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	c.Hooks.FeedChanged = func(s resource.FeedState) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.states = append(f.states, s)
	}
	c.Hooks.Verified = func(_ error, cached bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.cached = append(f.cached, cached)
	}
	for _, edit := range edits {
		edit(&c)
	}
	v, err := resource.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	f.Verifier = v
	return f
}

func failClosed(c *resource.Config) { c.Feed = resource.FailClosed }

// state is the last that the hook has heard of.
func (f *follower) state() resource.FeedState {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.states) == 0 {
		return ""
	}
	return f.states[len(f.states)-1]
}

// answer says what a guard would.
func (f *follower) answer(t testing.TB, token string) int {
	t.Helper()
	_, err := f.Verify(t.Context(), token)
	_, refused := errors.AsType[*resource.TokenError](err)
	switch {
	case err == nil:
		return http.StatusOK
	case refused:
		return http.StatusUnauthorized
	case errors.Is(err, resource.ErrUnavailable):
		return http.StatusServiceUnavailable
	}
	t.Errorf("neither a *TokenError nor ErrUnavailable: %v", err)
	return 0
}

func (f *follower) want(t testing.TB, status int, token string) {
	t.Helper()
	if got := f.answer(t, token); got != status {
		t.Errorf("got %d, want %d", got, status)
	}
}
