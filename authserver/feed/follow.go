package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	// PingInterval is how often a follower hears that nothing has ended.
	PingInterval = 5 * time.Second
	// patience is how long a follower may take to accept what is written to it.
	patience = 10 * time.Second
)

// errBehind lets a follower go: a server that cannot read what has ended must not
// say that nothing has.
var errBehind = errors.New("what has ended cannot be read")

// errMayNot lets a follower go that would not be taken any more.
var errMayNot = errors.New("the client may no longer follow")

// entry is a Revocation on the wire.
type entry struct {
	Seq          int64             `json:"seq"`
	Kind         authserver.Kind   `json:"kind"`
	ID           string            `json:"id"`
	Epoch        *int64            `json:"epoch,omitempty"` // 0 too, of a user
	SessionEpoch int64             `json:"session_epoch,omitempty"`
	Kept         []string          `json:"kept,omitempty"`
	Reason       authserver.Reason `json:"reason"`
	Until        int64             `json:"until"`
}

// Follow writes the feed to w as server-sent events until r's context ends, the
// server stops, the table cannot be read or the follower does not keep up: a
// snapshot of what is live, then each entry as it comes. The snapshot is left out
// if the feed can go on from where the follower says that it is. serves chooses
// the entries that are its business; may is asked every Interval whether it still
// may follow.
func (t *Tail) Follow(w http.ResponseWriter, r *http.Request, serves func(authserver.Revocation) bool, may func(context.Context) bool) error {
	t.followers.Add(1)
	defer t.followers.Add(-1)
	ctx := r.Context()
	from := positionOf(r)
	if from.seq > t.view.Load().head {
		t.Changed(ctx) // another server may have told it what this one has not read
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that collects answers would keep back what has ended
	w.WriteHeader(http.StatusOK)

	out := stream{w: w, control: http.NewResponseController(w)}
	// The server's bounds on a request are not meant for one that stays. A test's
	// writer may have none.
	if err := out.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("unbound follower's connection: %w", err)
	}
	seen, begins := from.seq, int64(-1) // begins is of the view that was written last
	ping := time.NewTicker(PingInterval)
	defer ping.Stop()
	look := time.NewTicker(Interval)
	defer look.Stop()
	for {
		if t.Behind() {
			return errBehind
		}
		v := t.view.Load()
		goesOn := begins == v.begins || begins < 0 && v.resumes(from)
		if begins = v.begins; !goesOn {
			out.event("snapshot", v.head, v.mark(v.head), wire(v.after(0), serves))
		} else {
			for _, e := range v.after(seen) {
				for _, w := range wire([]authserver.Revocation{e}, serves) {
					out.event("revoke", e.Seq, mark(e), w)
				}
			}
		}
		seen = v.head
		if err := out.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.done:
			return nil
		case <-v.next:
		case <-look.C:
			if !may(ctx) {
				return errMayNot
			}
		case <-ping.C:
			// The id goes on over what others follow, so that a gap is none.
			out.event("ping", seen, v.mark(seen), struct{}{})
		}
	}
}

// after are the entries of v above seq that have not left.
func (v *view) after(seq int64) []authserver.Revocation {
	first := sort.Search(len(v.entries), func(i int) bool { return v.entries[i].Seq > seq })
	return v.entries[first:]
}

// wire is how entries look to a follower.
func wire(entries []authserver.Revocation, serves func(authserver.Revocation) bool) []entry {
	now := time.Now()
	out := make([]entry, 0, len(entries))
	for _, e := range entries {
		if now.Before(e.Until) && serves(e) {
			w := entry{
				Seq: e.Seq, Kind: e.Kind, ID: e.ID, SessionEpoch: e.SessionEpoch, Kept: e.Kept, Reason: e.Reason, Until: e.Until.Unix(),
			}
			if e.Kind == authserver.KindUser {
				w.Epoch = &e.Epoch
			}
			out = append(out, w)
		}
	}
	return out
}

// Serves chooses what a resource server that serves resources must know.
func Serves(resources []string) func(authserver.Revocation) bool {
	return func(e authserver.Revocation) bool {
		return len(e.Resources) == 0 || slices.ContainsFunc(e.Resources, func(r string) bool {
			return slices.Contains(resources, r)
		})
	}
}

// stream collects events and writes them at once.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
	begun   bool // the first flush sends the headers, with events or without
}

// event adds one. A follower that does not know of marks ignores the field, as
// server-sent events want it.
func (s *stream) event(name string, id int64, mark string, data any) {
	encoded, err := json.Marshal(data)
	if err != nil {
		panic(err) // none of the types here can fail
	}
	fmt.Fprintf(&s.buf, "event: %s\nid: %d\ncopy: %s\ndata: %s\n\n", name, id, mark, encoded)
}

func (s *stream) flush() error {
	if s.begun && s.buf.Len() == 0 {
		return nil
	}
	s.begun = true
	defer func() { s.buf = bytes.Buffer{} }() // a snapshot's size is not kept for each follower
	if err := s.control.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return fmt.Errorf("bound write to follower: %w", err)
	}
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return fmt.Errorf("write to follower: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("write to follower: %w", err)
	}
	return nil
}
