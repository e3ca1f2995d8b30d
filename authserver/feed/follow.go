package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	// PingInterval is how often a follower hears that nothing has ended.
	PingInterval = 5 * time.Second
	// patience is how long a follower may take to accept what is written to it.
	patience = 10 * time.Second
	// mostOfSnapshot is how long it may take to accept a snapshot.
	mostOfSnapshot = time.Minute
	// portion is how much is collected before it is written, in bytes: with one
	// entry more it is a line that every follower reads.
	portion = 32 << 10
	// longest is how long a snapshot may be for a follower that takes no parts.
	longest = 64 << 20
)

// errBehind lets a follower go: a server that cannot read what has ended must not
// say that nothing has.
var errBehind = errors.New("what has ended cannot be read")

// errSlow lets a follower go that takes too long for a snapshot.
var errSlow = errors.New("the follower does not keep up")

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
			if err := t.snapshot(r, &out, v, serves, from.old); err != nil {
				return err
			}
		} else if err := out.revokes(v, seen, serves); err != nil {
			return err
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
			out.event("ping", seen, v.mark(seen), []byte("{}"))
		}
	}
}

// snapshot writes what is live in parts, or in one for a follower that does not
// know of parts.
func (t *Tail) snapshot(r *http.Request, out *stream, v *view, serves func(authserver.Revocation) bool, old bool) (err error) {
	begun, written := time.Now(), 0
	head := fmt.Sprintf("event: snapshot\nid: %d\ncopy: %s\ndata: [", v.head, v.mark(v.head))
	if old {
		out.buf.WriteString(head)
	}
	var part bytes.Buffer
	v.all(0, func(e authserver.Revocation) bool {
		if !begun.Before(e.Until) || !serves(e) {
			return true
		}
		if part.Len() > 0 || old && written > 0 {
			part.WriteByte(',')
		}
		part.Write(wire(e))
		if part.Len() < portion {
			return true
		}
		if written += part.Len(); old {
			part.WriteTo(&out.buf)
		} else {
			fmt.Fprintf(&out.buf, "event: part\ndata: [%s]\n\n", part.Bytes())
			part.Reset()
		}
		if err = out.flush(); err == nil && time.Since(begun) > mostOfSnapshot {
			err = errSlow
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	if written > longest && old {
		t.logger.WarnContext(r.Context(), "what has ended is more than a follower of the version before reads", "bytes", written)
	}
	if !old {
		out.buf.WriteString(head)
	}
	part.WriteTo(&out.buf)
	out.buf.WriteString("]\n\n")
	return nil
}

// revokes writes the entries above a number one by one.
func (s *stream) revokes(v *view, seen int64, serves func(authserver.Revocation) bool) (err error) {
	v.all(v.after(seen), func(e authserver.Revocation) bool {
		if time.Now().Before(e.Until) && serves(e) {
			s.event("revoke", e.Seq, mark(e), wire(e))
		}
		if s.buf.Len() >= portion {
			err = s.flush()
		}
		return err == nil
	})
	return err
}

// wire is how an entry looks to a follower.
func wire(e authserver.Revocation) []byte {
	w := entry{
		Seq: e.Seq, Kind: e.Kind, ID: e.ID, SessionEpoch: e.SessionEpoch, Kept: e.Kept, Reason: e.Reason, Until: e.Until.Unix(),
	}
	if e.Kind == authserver.KindUser {
		w.Epoch = &e.Epoch
	}
	text, err := json.Marshal(w)
	if err != nil {
		panic(err) // there is nothing in it that can fail
	}
	return text
}

// Serves chooses what a resource server that serves resources must know.
func Serves(resources []string) func(authserver.Revocation) bool {
	return func(e authserver.Revocation) bool {
		return len(e.Resources) == 0 || slices.ContainsFunc(e.Resources, func(r string) bool {
			return slices.Contains(resources, r)
		})
	}
}
