package redisstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
)

// deafening forwards to a server and, once lose is set, breaks the connection
// off instead of passing on the next answer.
type deafening struct {
	net.Listener
	lose atomic.Bool
}

func newDeafening(t *testing.T, server string) *deafening {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := &deafening{Listener: l}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go d.forward(client, server)
		}
	}()
	return d
}

func (d *deafening) forward(client net.Conn, server string) {
	defer client.Close()
	redis, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer redis.Close()
	go io.Copy(redis, client)
	answer := make([]byte, 64<<10)
	for {
		n, err := redis.Read(answer)
		if err != nil || d.lose.CompareAndSwap(true, false) {
			return
		}
		client.Write(answer[:n])
	}
}

// REF-010, REF-025: with grace 0 a repeated Advance would be reuse.
func TestACallWhoseAnswerWasLostIsNotRepeated(t *testing.T) {
	addr := strings.TrimPrefix(redistest.Start(t), "redis://")
	proxy := newDeafening(t, addr)
	opts := options()
	opts.Addrs = []string{proxy.Addr().String()}
	ofCluster := opts.Cluster()
	ofCluster.ClusterSlots = func(context.Context) ([]redis.ClusterSlot, error) {
		return []redis.ClusterSlot{{Start: 0, End: 16383, Nodes: []redis.ClusterNode{{Addr: opts.Addrs[0]}}}}, nil
	}
	for name, s := range map[string]*Store{
		"one server": {client: redis.NewUniversalClient(opts)},
		"a cluster":  {client: redis.NewClusterClient(ofCluster), cluster: true},
	} {
		t.Run(name, func(t *testing.T) {
			defer s.Close()
			s.advance = newScript(advanceText)
			now := time.Now()
			a := authserver.Advance{Now: now, IdleLifetime: time.Hour}
			session := authserver.Session{
				ID: name, SecretHash: sha256.Sum256(a.Secret[:]),
				IdleDeadline: now.Add(time.Hour), Deadline: now.Add(time.Hour),
			}
			if _, err := s.Open(t.Context(), session, 0); err != nil {
				t.Fatal(err)
			}
			for range 2 { // so that connection and script are there
				if _, outcome, err := s.Advance(t.Context(), name, a); err != nil || outcome != authserver.Rotated {
					t.Fatalf("got %v, %v", outcome, err)
				}
				a.Counter++
			}
			proxy.lose.Store(true)
			if _, outcome, err := s.Advance(t.Context(), name, a); !errors.Is(err, authserver.ErrUnavailable) {
				t.Errorf("got %v, %v; want %v", outcome, err, authserver.ErrUnavailable)
			}
			if got, err := s.Session(t.Context(), name); err != nil || got.Counter != a.Counter+1 {
				t.Errorf("got counter %d, %v; want %d", got.Counter, err, a.Counter+1)
			}
		})
	}
}
