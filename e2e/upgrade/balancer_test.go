package upgrade

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// servedBy is the header in which the balancer says who answered.
const servedBy = "Served-By"

// balancer gives each request to the next of its backends.
type balancer struct {
	mu       sync.Mutex
	backends []*backend
	next     int
}

// backend is a server that the balancer may have.
type backend struct {
	server
	version string
	process *program.Process
	proxy   *httputil.ReverseProxy
	served  atomic.Int64
	busy    sync.WaitGroup // Add is called under the balancer's lock, while it has this
}

func newBalancer(t *testing.T) (*balancer, server) {
	b := &balancer{}
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	return b, newServer(front.URL)
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	s := b.backends[b.next%len(b.backends)]
	b.next++
	s.busy.Add(1)
	b.mu.Unlock()
	defer s.busy.Done()
	s.served.Add(1)
	s.proxy.ServeHTTP(w, r)
}

// add starts a server and gives it requests.
func (b *balancer) add(t *testing.T, h *home, version string, by program.Binary) *backend {
	t.Helper()
	p, s := h.serve(t, by)
	to, err := url.Parse(p.Base)
	if err != nil {
		t.Fatal(err)
	}
	n := &backend{server: s, version: version, process: p}
	n.proxy = &httputil.ReverseProxy{
		Transport: s.http.Transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set(servedBy, version)
			return nil
		},
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, n)
	return n
}

// remove gives a server no more requests, lets it finish those that it has, and
// ends it.
func (b *balancer) remove(t *testing.T, old *backend) {
	t.Helper()
	b.mu.Lock()
	b.backends = slices.DeleteFunc(slices.Clone(b.backends), func(s *backend) bool { return s == old })
	b.mu.Unlock()
	old.busy.Wait()
	old.stop(t, old.process)
}

// hold returns all backends, which stay until they are let go.
func (b *balancer) hold() (held []*backend, release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	held = slices.Clone(b.backends)
	for _, s := range held {
		s.busy.Add(1)
	}
	return held, func() {
		for _, s := range held {
			s.busy.Done()
		}
	}
}
