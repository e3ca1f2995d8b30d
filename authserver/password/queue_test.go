package password

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// standing is a queue in a test, with who waits in it under letters.
type standing struct {
	*queue
	names map[*line]string
}

// let joins one under the name, and says who had to go for it.
func (s standing) let(name string, work int64, in ...string) (joined bool, gone []string) {
	w := s.join(in, work)
	for other, name := range s.names {
		if other.in == nil {
			gone = append(gone, name)
			delete(s.names, other)
		}
	}
	if w != nil {
		s.names[w] = name
	}
	return w != nil, gone
}

// takeAll is the order in which those who wait have their turns.
func (s standing) takeAll() (order string) {
	for w := s.take(); w != nil; w = s.take() {
		order += s.names[w]
	}
	return order
}

func TestTurns(t *testing.T) {
	type waiter struct {
		name string // of one letter
		work int64
		in   []string
	}
	of := func(letters, address, account string, work int64) (all []waiter) {
		for _, letter := range letters {
			all = append(all, waiter{string(letter), work, []string{address, account}})
		}
		return all
	}
	for _, tc := range []struct {
		name string
		come [][]waiter
		want string
	}{
		{"one after the other in one line", [][]waiter{of("abcd", "1", "alice", 1)}, "abcd"},
		{"addresses take turns", [][]waiter{of("abcd", "1", "alice", 1), of("xy", "2", "bob", 1)}, "axbycd"},
		{"accounts of one address take turns", [][]waiter{of("abcd", "1", "alice", 1), of("xy", "1", "bob", 1)}, "axbycd"},
		{"many accounts are one address", [][]waiter{of("ab", "1", "alice", 1), of("cd", "1", "bob", 1), of("ef", "1", "carol", 1), of("xyz", "2", "dave", 1)}, "axcyezbdf"},
		{"one account is many where it is asked about from many addresses", [][]waiter{of("ab", "1", "alice", 1), of("xy", "2", "alice", 1)}, "axby"},
		{"a slow hash counts as many", [][]waiter{of("abc", "1", "alice", 3), of("uvwxyz", "2", "bob", 1)}, "auvwbxyzc"},
		{"nobody counts less than one", [][]waiter{of("abc", "1", "alice", 0), of("xyz", "2", "bob", 1)}, "axbycz"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := standing{newQueue(100, 1), map[*line]string{}}
			for _, w := range slices.Concat(tc.come...) {
				if joined, gone := s.let(w.name, w.work, w.in...); !joined || len(gone) > 0 {
					t.Fatalf("%s: joined %v, gone %v", w.name, joined, gone)
				}
			}
			if got := s.takeAll(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// Who comes later is not served for ever before one who waits.
func TestNewcomersDoNotOvertakeForEver(t *testing.T) {
	s := standing{newQueue(100, 1), map[*line]string{}}
	s.let("first", 1, "1", "alice")
	s.let("second", 1, "1", "bob")
	for i := range 4 {
		s.let(fmt.Sprint("newcomer ", i), 1, fmt.Sprint("new ", i), "carol")
		s.let(fmt.Sprint("neighbour ", i), 1, fmt.Sprint("near ", i), "carol")
		if s.names[s.take()] == "second" {
			return
		}
	}
	t.Error("the second of an address waits while others come and go")
}

func TestRoom(t *testing.T) {
	fill := func(n int, in ...string) func(s standing) {
		return func(s standing) {
			for i := range n {
				s.let(fmt.Sprint(in, i+1), 1, in...)
			}
		}
	}
	for _, tc := range []struct {
		name   string
		before []func(standing) // in room for 8
		work   int64
		in     []string
		joined bool
		gone   []string
	}{
		{"one alone may fill all", []func(standing){fill(7, "1", "alice")}, 1, []string{"1", "alice"}, true, nil},
		{"and no more", []func(standing){fill(8, "1", "alice")}, 1, []string{"1", "alice"}, false, nil},
		{"a quarter while others wait", []func(standing){fill(1, "2", "bob"), fill(2, "1", "alice")}, 1, []string{"1", "alice"}, false, nil},
		{"a quarter, whatever the account", []func(standing){fill(1, "2", "bob"), fill(2, "1", "alice")}, 1, []string{"1", "carol"}, false, nil},
		{"less than a quarter while others wait", []func(standing){fill(1, "2", "bob"), fill(1, "1", "alice")}, 1, []string{"1", "alice"}, true, nil},
		{"the last of the fullest goes for another address", []func(standing){fill(8, "1", "alice")}, 1, []string{"2", "bob"}, true, []string{"[1 alice] 8"}},
		{"the last of its fullest account goes", []func(standing){fill(5, "1", "alice"), fill(3, "1", "carol")}, 1, []string{"2", "bob"}, true, []string{"[1 alice] 5"}},
		{"and for another account of the address", []func(standing){fill(8, "1", "alice")}, 1, []string{"1", "bob"}, true, []string{"[1 alice] 8"}},
		{"nobody goes for one who would have as much", []func(standing){fill(4, "1", "alice"), fill(4, "1", "bob")}, 4, []string{"1", "carol"}, false, nil},
		{"for a slow hash several go", []func(standing){fill(8, "1", "alice"), func(s standing) { s.let("slow", 3, "2", "bob") }}, 1, []string{"3", "carol"}, true, []string{"[1 alice] 5", "[1 alice] 6", "[1 alice] 7"}},
		{"a slow hash is let in where nobody waits", nil, 100, []string{"1", "alice"}, true, nil},
		{"who has no name has no share", []func(standing){fill(7)}, 1, nil, true, nil},
		{"and pushes nobody out", []func(standing){fill(8, "1", "alice")}, 1, nil, false, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := standing{newQueue(8, 1), map[*line]string{}}
			for _, fill := range tc.before {
				fill(s)
			}
			joined, gone := s.let("newcomer", tc.work, tc.in...)
			slices.Sort(gone)
			if joined != tc.joined || !slices.Equal(gone, tc.gone) {
				t.Errorf("joined %v, gone %v, want %v, %v", joined, gone, tc.joined, tc.gone)
			}
		})
	}
}

// Whoever comes and goes, the queue holds together: what it says of its lines is
// what is in them, its room is kept, and nothing is left of who is gone.
func TestQueueHoldsTogether(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	const room, slowest = 16, 5
	q := newQueue(room, 1)
	wait := map[*line]bool{}
	for range 20_000 {
		switch chance.IntN(4) {
		case 0, 1:
			names := []string{fmt.Sprint(chance.IntN(4)), fmt.Sprint(chance.IntN(3)), fmt.Sprint(chance.IntN(3))}
			if w := q.join(names[:chance.IntN(4)], 1+chance.Int64N(slowest)); w != nil {
				wait[w] = true
			}
		case 2:
			if w := q.take(); w != nil {
				delete(wait, w)
			} else if len(wait) > 0 {
				t.Fatal("nobody is next of those who wait")
			}
		case 3:
			for w := range wait { // any
				q.remove(w)
				delete(wait, w)
				break
			}
		}
		for w := range wait {
			select {
			case going := <-w.turn:
				if going || w.in != nil {
					t.Fatal("somebody was told of a turn, or to go and is still there")
				}
				delete(wait, w)
			default:
			}
		}
		if q.waiting != len(wait) || q.root.work >= room+slowest {
			t.Fatalf("%d wait with work %d, want %d below %d", q.waiting, q.root.work, len(wait), room+slowest)
		}
		holdsTogether(t, &q.root)
	}
}

// holdsTogether looks at a line and all in it.
func holdsTogether(t *testing.T, l *line) {
	t.Helper()
	var work int64
	var named int
	for i, in := range l.sooner.lines {
		if in.in != l || in.at[0] != i || l.fuller.lines[in.at[1]] != in || in.work < 1 {
			t.Fatalf("%+v stands in no order", in)
		}
		if in.due < l.clock || in.due > l.clock+1+in.work+5 {
			t.Fatalf("due %d at %d", in.due, l.clock)
		}
		work += in.work
		if in.turn == nil {
			named++
			if l.lines[in.name] != in {
				t.Fatalf("%q is not known by its name", in.name)
			}
			holdsTogether(t, in)
		}
	}
	if len(l.fuller.lines) != len(l.sooner.lines) || len(l.lines) != named || l.turn == nil && l.work != work {
		t.Fatalf("%d and %d stand in it, %d of %d with names, work %d of %d",
			len(l.sooner.lines), len(l.fuller.lines), len(l.lines), named, l.work, work)
	}
	for _, o := range []order{l.sooner, l.fuller} {
		for i := range o.lines {
			if i > 0 && heap.Interface(&o).Less(i, (i-1)/2) {
				t.Fatal("not in order")
			}
		}
	}
}

func BenchmarkQueue(b *testing.B) {
	q := newQueue(1_000_000, 1)
	for i := range 100_000 {
		q.join([]string{fmt.Sprint(i % 50_000), fmt.Sprint(i)}, 1)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.join([]string{fmt.Sprint(i % 50_000), "account"}, 1)
		q.take()
	}
}
