package audit

import (
	"net/netip"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	// capacity is how many rows are kept while the store is away.
	capacity = 20_000
	// strangersRows and knownRows are how many rows of a round may be refusals:
	// of what concerns nobody known, and of users and clients that there are.
	// Neither takes the other's share. What is beyond is counted by what was
	// refused and why alone.
	strangersRows = 50
	knownRows     = 150
)

// round is what one writing will write: rows in the order in which the first of
// those that each stands for came.
type round struct {
	rows   []authserver.Event
	alike  map[authserver.Event]int // where in rows one is that stands for all like it
	spent  map[bool]int             // refusals with a row of their own, of strangers or not
	coarse int                      // refusals that were beyond
	lost   int
}

func newRound() *round {
	return &round{alike: map[authserver.Event]int{}, spent: map[bool]int{}}
}

func (r *round) add(e authserver.Event) {
	refused := e.Result == "failure"
	if !refused && e.Subject != "" {
		r.append(e) // each is a row of its own
		return
	}
	stranger := refused && nobody(e.Subject)
	kind := likeness(e, stranger)
	if r.count(kind, e) {
		return
	}
	most := knownRows
	if stranger {
		most = strangersRows
	}
	if refused && r.spent[stranger] >= most {
		r.coarse++
		kind = authserver.Event{Act: e.Act, Result: e.Result, Reason: e.Reason}
		if r.count(kind, kind) {
			return
		}
		at := e.At
		e = kind
		e.At = at
	} else if refused {
		r.spent[stranger]++
	}
	e.Times = 1
	if r.append(e) {
		r.alike[kind] = len(r.rows) - 1
	}
}

func (r *round) append(e authserver.Event) bool {
	if len(r.rows) >= capacity {
		r.lost++
		return false
	}
	r.rows = append(r.rows, e)
	return true
}

// count adds e to the row that stands for its kind, if there is one, which then
// says only what is the same of all that it stands for.
func (r *round) count(kind, e authserver.Event) bool {
	i, ok := r.alike[kind]
	if !ok {
		return false
	}
	row := &r.rows[i]
	row.Times++
	for _, f := range []struct {
		have  *string
		other string
	}{{&row.Subject, e.Subject}, {&row.ClientID, e.ClientID}, {&row.SessionID, e.SessionID}} {
		if *f.have != f.other {
			*f.have = ""
		}
	}
	if row.IP != e.IP {
		row.IP = block(e.IP)
	}
	return true
}

// likeness is what events have in common that become one row. Whoever floods the
// log has as many names and, within a block, addresses as he likes.
func likeness(e authserver.Event, stranger bool) authserver.Event {
	e.At, e.RequestID = time.Time{}, ""
	if nobody(e.ClientID) {
		e.ClientID = ""
	}
	if stranger {
		e.Subject, e.SessionID, e.IP = "", "", block(e.IP)
	}
	return e
}

// nobody reports whether an id is none, or stands for one that nobody has.
func nobody(id string) bool { return id == "" || strings.HasPrefix(id, pseudonym) }

// block is the range that an address is in, a /24 or in IPv6 a /48: what one
// party commonly has.
func block(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}
