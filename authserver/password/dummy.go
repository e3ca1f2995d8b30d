package password

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// Formats count how stored hashes were made. The zero Formats are of none. They
// are not safe for concurrent use.
type Formats struct {
	users map[scheme]int // nil stands for what cannot be verified
}

// Add counts one stored hash.
func (f *Formats) Add(hash string) {
	if f.users == nil {
		f.users = map[scheme]int{}
	}
	var made scheme
	if s, known := parse(hash); known {
		made = s.scheme()
	}
	f.users[made]++
}

// imitation is a dummy of one scheme, in the place of so many users.
type imitation struct {
	scheme string
	dummy  string
	users  int
}

// Imitate has dummies made like the hashes that f counts, as often as these are.
func (h *Hasher) Imitate(f Formats) {
	users := map[scheme]int{}
	for s, n := range f.users {
		if s == nil { // Verify takes it for one that is made now
			s = h.scheme
		}
		users[s] += n
	}
	like := []imitation{}
	for s, n := range users {
		like = append(like, imitation{s.String(), s.dummy(), n})
	}
	h.imitated.Store(&like)
}

// Dummy is a hash that no password matches, to be verified in place of that of a
// user who is not there. So many names get one that takes as long as a certain
// stored hash as there are users with such: one time for all would tell names
// whose hash takes another. It is always alike for a name as long as the users'
// are, and when these change, what a name loses has become rarer and what it gets
// more frequent, as when a user's hash is replaced.
func (h *Hasher) Dummy(name string) string {
	chosen, first := h.dummy, math.Inf(1)
	for _, i := range *h.imitated.Load() {
		// Each scheme waits for a random time, the shorter the more users it has:
		// the chance to be first is their share (weighted rendezvous hashing).
		mac := hmac.New(sha256.New, h.dummyKey)
		mac.Write([]byte(i.scheme + "\x00" + name))
		uniform := (float64(binary.BigEndian.Uint64(mac.Sum(nil))>>11) + 0.5) / (1 << 53)
		if at := -math.Log(uniform) / float64(i.users); at < first {
			chosen, first = i.dummy, at
		}
	}
	return chosen
}
