package feed

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// packed is an entry of a token or a session in 40 bytes without pointers, or
// says where another one is: there may be a million.
type packed struct {
	seq   int64
	until int64 // Unix milliseconds
	id    [16]byte
	what  uint16 // its index in words.what, or other
	where uint16 // its index in words.resources
}

// other is the what of an entry that is kept as it came: seq is its number, and
// id says nothing.
const other = math.MaxUint16

// words are what entries have in common. They are only ever added to.
type words struct {
	what      []What
	resources []string   // lists joined by spaces
	lists     [][]string // the same
}

// entries are in sequence. Copies share what is in them; only the one that was
// made last may be appended to.
type entries struct {
	list  []packed
	rest  []authserver.Revocation // those that are no packed
	words words
}

var strict = base64.RawURLEncoding.Strict()

// add appends an entry.
func (e *entries) add(r authserver.Revocation) {
	p := packed{seq: r.Seq, until: r.Until.UnixMilli(), what: other}
	if r.Kind == authserver.KindToken || r.Kind == authserver.KindSession {
		what, few := index(&e.words.what, What{r.Kind, r.Reason})
		where, some := index(&e.words.resources, strings.Join(r.Resources, " "))
		if len(e.words.lists) < len(e.words.resources) {
			e.words.lists = append(e.words.lists, r.Resources)
		}
		n := 0
		if len(r.ID) == base64.RawURLEncoding.EncodedLen(len(p.id)) {
			n, _ = strict.Decode(p.id[:], []byte(r.ID))
		}
		if few && some && n == len(p.id) {
			p.what, p.where = what, where
		}
	}
	if p.what == other {
		e.rest = append(e.rest, r)
	}
	e.list = append(e.list, p)
}

// index is where a word is among those known, of which there are few.
func index[T comparable](known *[]T, word T) (uint16, bool) {
	i := slices.Index(*known, word)
	if i < 0 {
		if i = len(*known); i >= 1000 { // looking for one takes time
			return 0, false
		}
		*known = append(*known, word)
	}
	return uint16(i), true
}

// all calls yield for the entries from the i-th on, until it returns false.
func (e *entries) all(i int, yield func(authserver.Revocation) bool) {
	rest := e.restFrom(i)
	for _, p := range e.list[i:] {
		var r authserver.Revocation
		if p.what == other {
			r, rest = rest[0], rest[1:]
		} else {
			what := e.words.what[p.what]
			r = authserver.Revocation{
				Seq: p.seq, Kind: what.Kind, Reason: what.Reason, ID: strict.EncodeToString(p.id[:]),
				Resources: e.words.lists[p.where], Until: time.UnixMilli(p.until).UTC(),
			}
		}
		if !yield(r) {
			return
		}
	}
}

// restFrom are those of rest that the i-th entry and later ones stand for.
func (e *entries) restFrom(i int) []authserver.Revocation {
	if i == len(e.list) {
		return nil
	}
	first, _ := slices.BinarySearchFunc(e.rest, e.list[i].seq, func(r authserver.Revocation, seq int64) int { return int(r.Seq - seq) })
	return e.rest[first:]
}

// after is the index of the first entry above seq.
func (e *entries) after(seq int64) int {
	i, _ := slices.BinarySearchFunc(e.list, seq+1, func(p packed, seq int64) int { return int(p.seq - seq) })
	return i
}

// numbered is the entry with a number, if it has not left.
func (e *entries) numbered(seq int64) (r authserver.Revocation, found bool) {
	i := e.after(seq - 1)
	if i == len(e.list) || e.list[i].seq != seq {
		return r, false
	}
	e.all(i, func(one authserver.Revocation) bool { r = one; return false })
	return r, true
}

// live is e, or a copy without those that have left and without raisings of a
// session epoch that a later one covers, if these are many.
func (e *entries) live(now time.Time) entries {
	last := map[string]int64{} // subject → the highest session epoch
	for _, r := range e.rest {
		last[r.ID] = max(last[r.ID], r.SessionEpoch)
	}
	lives := func(r authserver.Revocation) bool {
		return now.Before(r.Until) && (r.SessionEpoch == 0 || r.SessionEpoch == last[r.ID])
	}
	rest := slices.DeleteFunc(slices.Clone(e.rest), func(r authserver.Revocation) bool { return !lives(r) })
	gone := len(e.rest) - len(rest)
	for _, p := range e.list {
		if p.what != other && p.until <= now.UnixMilli() {
			gone++
		}
	}
	if gone <= len(e.list)/4 {
		return *e
	}
	out := entries{list: make([]packed, 0, len(e.list)-gone), rest: rest, words: e.words}
	for _, p := range e.list {
		if p.what != other {
			if p.until > now.UnixMilli() {
				out.list = append(out.list, p)
			}
		} else if len(rest) > 0 && rest[0].Seq == p.seq {
			out.list, rest = append(out.list, p), rest[1:]
		}
	}
	return out
}
