//go:build proof

package revocation

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// withholder stands between a server and its store. It passes on what they say,
// until a reply that it waits for: that one and all that follow stay with it.
type withholder struct {
	listener net.Listener
	store    string

	mu      sync.Mutex
	waiting bool
	marker  []byte
	kept    chan struct{} // closed when it has the reply
}

func newWithholder(t testing.TB, store string) *withholder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w := &withholder{listener: l, store: store}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(conn)
		}
	}()
	return w
}

func (w *withholder) addr() string { return w.listener.Addr().String() }

// await keeps the next reply that has marker in it. The returned channel is
// closed then: the store has done what it was asked.
func (w *withholder) await(marker string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting, w.marker, w.kept = true, []byte(marker), make(chan struct{})
	return w.kept
}

// keeps reports whether a reply is not to be passed on.
func (w *withholder) keeps(reply []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.waiting || !bytes.Contains(reply, w.marker) {
		return false
	}
	w.waiting = false
	close(w.kept)
	return true
}

func (w *withholder) join(server net.Conn) {
	defer server.Close()
	store, err := net.Dial("tcp", w.store)
	if err != nil {
		return
	}
	defer store.Close()
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := store.Read(buf)
			if err != nil || w.keeps(buf[:n]) {
				return
			}
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for { // until the server is gone
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		if _, err := store.Write(buf[:n]); err != nil {
			return
		}
	}
}
