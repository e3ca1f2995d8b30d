//go:build proof

package revocation

import (
	"io"
	"net"
	"sync"
	"testing"
)

// balancer is the issuer's address: it spreads connections over the
// authorization servers that are there, and stays when they go.
type balancer struct {
	listener net.Listener

	mu       sync.Mutex
	backends []string
	next     int
}

func newBalancer(t testing.TB) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	b := &balancer{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.join(conn)
		}
	}()
	return b
}

func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

func (b *balancer) set(addresses ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = addresses
}

// dial connects to the backend whose turn it is, or the next that is there.
func (b *balancer) dial() (net.Conn, error) {
	b.mu.Lock()
	backends, first := b.backends, b.next
	b.next++
	b.mu.Unlock()
	for i := range backends {
		if conn, err := net.Dial("tcp", backends[(first+i)%len(backends)]); err == nil {
			return conn, nil
		}
	}
	return nil, io.ErrClosedPipe
}

func (b *balancer) join(front net.Conn) {
	defer front.Close()
	back, err := b.dial()
	if err != nil {
		return
	}
	defer back.Close()
	go func() {
		io.Copy(back, front)
		back.Close()
		front.Close()
	}()
	io.Copy(front, back)
}
