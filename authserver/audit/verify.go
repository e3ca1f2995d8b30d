package audit

import (
	"context"
	"crypto/hmac"
	"fmt"
	"math"
	"slices"
)

// State is how far a log reaches, as of one moment.
type State struct {
	// First and Last are the numbers that the rows have; Last is First-1 if
	// there is none.
	First, Last int64
	KeyID       string
	Seal        []byte
	// Beyond counts the rows whose number is higher than Last.
	Beyond int64
	Chains []Chain
}

// Chain is where a chain goes on.
type Chain struct {
	Head
	// Anchor is the MAC of the last row that retention removed.
	Anchor []byte
}

// Source is a kept log.
type Source interface {
	State(ctx context.Context) (State, error)
	// Rows lists up to limit rows with an ID above after, in order.
	Rows(ctx context.Context, after int64, limit int) ([]Row, error)
}

// Fault is one thing that is wrong with a log.
type Fault struct {
	// ID is the row's; 0 if it is about the whole log.
	ID    int64
	Chain string
	What  string
}

func (f Fault) String() string {
	if f.ID == 0 {
		return f.What
	}
	return fmt.Sprintf("row %d: %s", f.ID, f.What)
}

// Report is what Verify found.
type Report struct {
	Rows        int64
	First, Last int64
	Heads       []Head
	// Faults are the first MaxFaults, in order; there are none in a sound log.
	Faults []Fault
}

// MaxFaults is how many faults a Report lists.
const MaxFaults = 100

const page = 1000

// Verify reads the whole log, page by page, and says what is wrong with it.
// keys are all that it was ever written with; known are heads that processes said
// elsewhere. Rows may be written meanwhile. An error means that it could not be read.
func Verify(ctx context.Context, src Source, keys []Key, known ...Head) (Report, error) {
	state, err := src.State(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("read audit state: %w", err)
	}
	for {
		v := newVerification(state, keys, known)
		for after := int64(math.MinInt64); ; {
			rows, err := src.Rows(ctx, after, page)
			if err != nil {
				return Report{}, fmt.Errorf("read audit rows: %w", err)
			}
			for _, r := range rows {
				v.row(r)
			}
			if len(rows) < page || rows[len(rows)-1].ID >= state.Last {
				break
			}
			after = rows[len(rows)-1].ID
		}
		after, err := src.State(ctx)
		if err != nil {
			return Report{}, fmt.Errorf("read audit state: %w", err)
		}
		if after.First == state.First {
			return v.finish(after), nil
		}
		state = after // retention was at work: begin again
	}
}

// verification goes through the rows in order.
type verification struct {
	state  State
	keys   map[string]Key
	known  map[int64]Head
	next   int64 // the number that the next row has to have
	chains map[string]*Head
	report Report
}

func newVerification(s State, keys []Key, known []Head) *verification {
	v := &verification{
		state: s, next: s.First, keys: map[string]Key{}, known: map[int64]Head{}, chains: map[string]*Head{},
		report: Report{First: s.First, Last: s.Last},
	}
	for _, k := range keys {
		v.keys[k.ID] = k
	}
	for _, h := range known {
		v.known[h.ID] = h
	}
	for _, c := range s.Chains {
		v.chains[c.Chain] = &Head{Chain: c.Chain, MAC: c.Anchor}
	}
	if s.Last == 0 {
		v.fault(Row{}, "the log is empty: nothing was ever written, or all of it was removed")
		return v
	}
	k, ok := v.keys[s.KeyID]
	if !ok {
		v.fault(Row{}, "its reach is sealed under a key that is not known: add the SECRET_KEY of that time to SECRET_KEY_PREVIOUS")
	} else if !hmac.Equal(k.Seal(s.First, s.Last), s.Seal) {
		v.fault(Row{}, "its reach was changed: rows at its start or at its end may be missing")
	}
	return v
}

func (v *verification) row(r Row) {
	if r.ID > v.state.Last {
		return // written meanwhile, or counted in Beyond
	}
	v.report.Rows++
	switch {
	case r.ID < v.state.First:
		v.fault(r, "is before the log's start: it was put back, or is made up")
		return
	case r.ID > v.next:
		v.missing(v.next, r.ID-1)
	}
	v.next = r.ID + 1

	chain, ok := v.chains[r.Chain]
	if !ok {
		v.fault(r, fmt.Sprintf("its chain %q is missing", r.Chain))
		chain = &Head{Chain: r.Chain}
		v.chains[r.Chain] = chain
	}
	k, ok := v.keys[r.KeyID]
	if !ok {
		v.fault(r, "is made under a key that is not known: add the SECRET_KEY of that time to SECRET_KEY_PREVIOUS")
	} else if !hmac.Equal(k.MAC(chain.MAC, r), r.MAC) {
		v.fault(r, "was changed, or the one before it in its chain was changed or removed")
	}
	if h, ok := v.known[r.ID]; ok && (h.Chain != r.Chain || !hmac.Equal(h.MAC, r.MAC)) {
		v.fault(r, "is not the one that its writer has named as its head")
	}
	// From what is there, so that one change is one fault.
	chain.ID, chain.MAC = r.ID, r.MAC
}

// finish compares where the rows end with where they have to.
func (v *verification) finish(after State) Report {
	if v.next <= v.state.Last {
		v.missing(v.next, v.state.Last)
	}
	for _, c := range v.state.Chains {
		if seen := v.chains[c.Chain]; seen.ID != c.ID || !hmac.Equal(seen.MAC, c.MAC) {
			v.fault(Row{ID: c.ID, Chain: c.Chain}, fmt.Sprintf("is said to be the last of chain %q, and is not", c.Chain))
		}
		v.report.Heads = append(v.report.Heads, c.Head)
	}
	if after.Beyond > 0 {
		v.fault(Row{}, fmt.Sprintf("%d rows are beyond its end: they are made up, or its end was changed", after.Beyond))
	}
	for _, h := range v.known {
		if h.ID > after.Last {
			v.fault(Row{ID: h.ID, Chain: h.Chain}, "is what its writer has named as its head, and the log ends before it")
		}
	}
	slices.SortFunc(v.report.Faults, func(a, b Fault) int { return int(a.ID - b.ID) })
	return v.report
}

func (v *verification) missing(first, last int64) {
	what := "is missing"
	if last > first {
		what = fmt.Sprintf("is missing, with all up to row %d", last)
	}
	v.fault(Row{ID: first}, what)
}

func (v *verification) fault(r Row, what string) {
	if len(v.report.Faults) < MaxFaults {
		v.report.Faults = append(v.report.Faults, Fault{ID: r.ID, Chain: r.Chain, What: what})
	}
}
