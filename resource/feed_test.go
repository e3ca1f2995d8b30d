package resource_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

const (
	ok          = http.StatusOK
	refused     = http.StatusUnauthorized
	unavailable = http.StatusServiceUnavailable
)

func session(name string) resource.Revocation {
	return resource.Revocation{Kind: resource.KindSession, ID: "sid-" + name, Reason: "logout"}
}

func TestFeedEndsTokens(t *testing.T) {
	for _, tc := range []struct {
		name  string
		entry resource.Revocation
	}{
		{"RSV-035 a token", resource.Revocation{Kind: resource.KindToken, ID: "jti-1"}},
		{"RSV-035 a session", resource.Revocation{Kind: resource.KindSession, ID: "sid-alice"}},
		{"RSV-036 a user", resource.Revocation{Kind: resource.KindUser, ID: "sub-alice", Epoch: 2}},
		{"a client", resource.Revocation{Kind: resource.KindClient, ID: "app"}},
		{"RSV-033 a key", resource.Revocation{Kind: resource.KindKey, ID: "key-1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				one, two := n.follow(t), n.follow(t, failClosed)
				synctest.Wait()
				c := n.User("alice", "user")
				c.ID = "jti-1"
				token := n.Mint(c)
				one.want(t, ok, token)
				two.want(t, ok, token)
				n.Revoke(tc.entry)
				synctest.Wait()
				one.want(t, refused, token)
				two.want(t, refused, token)
			})
		})
	}
}

func TestBeforeTheFirstSnapshot(t *testing.T) {
	for _, policy := range []resource.Policy{resource.FailOpen, resource.FailClosed} {
		t.Run("RSV-042 the issuer is away at the start, "+string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.down()
				f := n.follow(t, func(c *resource.Config) { c.Feed = policy })
				token := n.Mint(n.User("alice"))
				for range 5 {
					time.Sleep(time.Minute)
					f.want(t, unavailable, token)
				}
				n.up()
				time.Sleep(time.Second)
				f.want(t, ok, token)
				want := []resource.FeedState{resource.FeedLost, resource.FeedStale, resource.FeedFollowed}
				if !slices.Equal(f.states, want) {
					t.Errorf("heard %v, want %v", f.states, want)
				}
			})
		})
	}
	t.Run("RSV-042 keys without a snapshot", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t)
			f := n.follow(t, func(c *resource.Config) { c.ClientSecret = "wrong" })
			synctest.Wait()
			f.want(t, unavailable, n.Mint(n.User("alice")))
		})
	})
}

func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		open, closed := n.follow(t), n.follow(t, failClosed)
		token, ended := n.Mint(n.User("alice")), n.Mint(n.User("bob"))
		time.Sleep(time.Second)
		n.Revoke(session("bob"))
		synctest.Wait()
		n.down()
		time.Sleep(20 * time.Second)
		for _, f := range []*follower{open, closed} {
			f.want(t, ok, token) // RSV-034: the last good keys, and what is known to have ended
			f.want(t, refused, ended)
			if f.state() != resource.FeedLost {
				t.Errorf("after 20 s: %v", f.state())
			}
		}
		time.Sleep(11 * time.Second)
		open.want(t, ok, token)
		open.want(t, refused, ended)
		closed.want(t, unavailable, token)
		closed.want(t, unavailable, ended)
		for _, f := range []*follower{open, closed} {
			if f.state() != resource.FeedStale {
				t.Errorf("after 31 s: %v", f.state())
			}
		}
		time.Sleep(10 * time.Minute)
		open.want(t, ok, token)
		n.Revoke(session("alice"))
		n.up()
		time.Sleep(time.Second)
		for _, f := range []*follower{open, closed} {
			f.want(t, refused, token)
			f.want(t, ok, n.Mint(n.User("carol")))
			if f.state() != resource.FeedFollowed {
				t.Errorf("a second after its return: %v", f.state())
			}
		}
	})
}

func TestAnHoursAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t)
		time.Sleep(time.Second)
		short := session("short")
		short.Until = time.Now().Add(30 * time.Minute)
		n.Revoke(short, session("taken back"))
		synctest.Wait()
		forever := func(name string) string {
			c := n.User(name)
			c.ExpiresAt += 86400
			return n.Mint(c)
		}
		back := forever("taken back")
		f.want(t, refused, back)

		n.down()
		time.Sleep(time.Hour)
		for i := range 100 {
			n.Revoke(session(fmt.Sprint(i)))
		}
		n.Forget(resource.KindSession, "sid-taken back")
		n.up()
		time.Sleep(time.Second)
		for i := range 100 {
			f.want(t, refused, forever(fmt.Sprint(i)))
		}
		f.want(t, ok, back)
	})
}

// The issuer restarts again and again; what it ends just after its return is
// heard of within a second.
func TestRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t, failClosed)
		time.Sleep(time.Second)
		for i := range 50 {
			name := fmt.Sprint(i)
			token := n.Mint(n.User(name))
			f.want(t, ok, token)
			n.down()
			time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			f.want(t, ok, token)
			n.Revoke(session(name))
			n.up()
			time.Sleep(time.Second)
			f.want(t, refused, token)
			if f.state() != resource.FeedFollowed {
				t.Errorf("restart %d: %v", i, f.state())
			}
		}
	})
}

func TestRefusedClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t, func(c *resource.Config) { c.ClientSecret = "wrong" })
		time.Sleep(10 * time.Minute)
		if f.state() != resource.FeedRefused {
			t.Errorf("RSV-041 heard %v", f.states)
		}
		if got := n.FeedRequests(); got < 10 || got > 120 {
			t.Errorf("%d requests in 10 minutes", got)
		}
	})
}

// What a follower has been told in one copy of the issuer's database says nothing
// of another that has come as far.
func TestAnotherCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t, failClosed)
		time.Sleep(time.Second)
		lost, ended, good := n.Mint(n.User("lost")), n.Mint(n.User("ended")), n.Mint(n.User("good"))
		n.Revoke(session("lost"))
		synctest.Wait()
		f.want(t, refused, lost)
		n.down()
		n.Forget(resource.KindSession, "sid-lost")
		n.Revoke(session("ended")) // the same number
		n.up()
		time.Sleep(time.Second)
		f.want(t, refused, ended)
		f.want(t, ok, good)
	})
}

// A follower for an audience that its client does not serve is refused, and knows.
func TestAnotherAudience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.follow(t, func(c *resource.Config) { c.Audience = "https://another.example.test" })
		time.Sleep(time.Second)
		if f.state() != resource.FeedRefused {
			t.Errorf("RSV-041 heard %v", f.states)
		}
	})
}

// A connection that stays open and says nothing is as good as none.
func TestSilentConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		var silent atomic.Bool
		n.down()
		n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != resourcetest.PathFeed || !silent.Load() {
				n.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		silent.Store(true)
		n.up()
		f := n.follow(t)
		time.Sleep(14 * time.Second)
		f.want(t, unavailable, n.Mint(n.User("alice")))
		silent.Store(false)
		time.Sleep(2 * time.Second)
		f.want(t, ok, n.Mint(n.User("alice")))
	})
}

// What cannot be understood ends the connection, and a snapshot makes up for it.
func TestMalformedFeed(t *testing.T) {
	const good = "event: snapshot\nid: 0\ndata: []\n\n"
	for name, text := range map[string]string{
		"no JSON":                  good + "event: revoke\nid: 1\ndata: {\n\n",
		"an array for an entry":    good + "event: revoke\nid: 1\ndata: []\n\n",
		"no data":                  good + "event: revoke\nid: 1\n\n",
		"no id":                    good + "event: revoke\ndata: {\"seq\":1,\"kind\":\"token\",\"id\":\"x\",\"until\":9999999999}\n\n",
		"an id that is no number":  good + "event: ping\nid: x\ndata: {}\n\n",
		"a negative id":            good + "event: ping\nid: -1\ndata: {}\n\n",
		"an entry without kind":    good + "event: revoke\nid: 1\ndata: {\"seq\":1,\"id\":\"x\",\"until\":9999999999}\n\n",
		"an entry without until":   good + "event: revoke\nid: 1\ndata: {\"seq\":1,\"kind\":\"token\",\"id\":\"x\"}\n\n",
		"until as text":            good + "event: revoke\nid: 1\ndata: {\"seq\":1,\"kind\":\"token\",\"id\":\"x\",\"until\":\"9\"}\n\n",
		"a snapshot that is null":  "event: snapshot\nid: 0\ndata: null\n\n",
		"a snapshot of one":        "event: snapshot\nid: 0\ndata: {}\n\n",
		"a snapshot without id":    "event: snapshot\ndata: []\n\n",
		"a line that is too long":  good + "event: revoke\nid: 1\ndata: " + string(make([]byte, 70<<10)) + "\n\n",
		"half an event, then over": good + "event: revoke\nid: 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.down()
				var last atomic.Value
				var tries atomic.Int32
				n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == resourcetest.PathFeed {
						if tries.Add(1) == 1 {
							w.Header().Set("Content-Type", "text/event-stream")
							io.WriteString(w, text)
							return
						}
						last.Store(r.Header.Get("Last-Event-ID"))
					}
					n.ServeHTTP(w, r)
				})
				n.up()
				f := n.follow(t)
				time.Sleep(time.Second)
				f.want(t, ok, n.Mint(n.User("alice")))
				if got := tries.Load(); got != 2 {
					t.Errorf("%d connections, want 2", got)
				}
				if got := last.Load(); got != "" && name != "half an event, then over" {
					t.Errorf("resumed from %q instead of asking for a snapshot", got)
				}
			})
		})
	}
}

// What a snapshot has, too, ends tokens without a pause; what it lacks leaves.
func TestReplaceHasNoGap(t *testing.T) {
	e := resource.NewEnded()
	e.Ready()
	until := time.Now().Add(time.Hour)
	entry := func(id string) resource.Revocation {
		return resource.Revocation{Kind: resource.KindToken, ID: id, Until: until}
	}
	e.Replace(entry("stays"), entry("goes"))
	var over atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for !over.Load() {
				if _, ended, _ := e.Check(&resource.Claims{ID: "stays"}, "k"); !ended {
					t.Error("an ended token passed")
					return
				}
			}
		})
	}
	for i := range 2000 {
		e.Replace(entry("stays"), entry(fmt.Sprint(i)))
	}
	over.Store(true)
	readers.Wait()
	if _, ended, _ := e.Check(&resource.Claims{ID: "goes"}, "k"); ended {
		t.Error("an entry that the snapshot lacks still ends tokens")
	}
	if e.Len() != 2 || e.Waiting() != 2 {
		t.Errorf("%d entries, %d waiting to leave; want 2", e.Len(), e.Waiting())
	}
}

// 100 revocations, each heard of by two resource servers over real connections.
func TestRevocationLatency(t *testing.T) {
	s := resourcetest.NewServer(t)
	servers := make([]*resource.Verifier, 2)
	for i := range servers {
		v, err := resource.New(t.Context(), s.Config())
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		servers[i] = v
	}
	var took []time.Duration
	for i := range 100 {
		name := fmt.Sprint(i)
		token := s.Mint(s.User(name))
		for _, v := range servers {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		s.Revoke(session(name))
		start := time.Now()
		for _, v := range servers {
			for {
				if _, err := v.Verify(t.Context(), token); err != nil {
					break
				}
				if time.Since(start) > time.Second {
					t.Fatal("RSV-035 not heard of within a second")
				}
			}
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	t.Logf("RSV-035 revoked until refused by both: p50 %v, p90 %v, p99 %v, most %v", took[49], took[89], took[98], took[99])
}
