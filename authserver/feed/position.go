package feed

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tokenwright/tokenwright/authserver"
)

// position is how far a follower has been told, as it says. A number alone may
// have been given twice, in two copies of a database: the mark says in which.
type position struct {
	seq  int64 // -1 if it says nothing that can be read
	mark string
	// old is a follower of the version before, which has no mark to send.
	old bool
}

// positionOf reads what a follower sends with its request.
func positionOf(r *http.Request) position {
	seq, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		seq = -1
	}
	q := r.URL.Query()
	return position{seq: seq, mark: q.Get("copy"), old: !q.Has("copy")}
}

// resumes says whether a follower can go on from p. What it has been told of an
// entry that has left is not known: a snapshot is short then.
func (v *view) resumes(p position) bool {
	if p.old {
		return v.begins <= p.seq && p.seq <= v.head
	}
	return p.mark != "" && p.mark == v.mark(p.seq)
}

// mark is that of the entry with a number, or empty if it has left.
func (v *view) mark(seq int64) string {
	r, found := v.numbered(seq)
	if !found {
		return ""
	}
	return mark(r)
}

// mark tells an entry from one that was given the same number in another copy of
// the database: that ended something else, or at another time.
func mark(e authserver.Revocation) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %d %d %s", e.Kind, e.Epoch, e.SessionEpoch, e.Until.UnixMilli(), e.ID)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}
