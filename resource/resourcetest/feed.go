package resourcetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

// pingInterval is that of a Tokenwright server.
const pingInterval = 5 * time.Second

// feed is what has ended. Server.mu guards it.
type feed struct {
	entries []resource.Revocation // in sequence
	seq     int64
	copy    int           // which copy of the database seq is of
	next    chan struct{} // closed when there is more
}

// Revoke ends what the entries name and tells the followers. It sets their Seq;
// an Until that is zero is an hour from now.
func (s *Server) Revoke(entries ...resource.Revocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range entries {
		s.feed.seq++
		r.Seq = s.feed.seq
		if r.Until.IsZero() {
			r.Until = time.Now().Add(time.Hour)
		}
		s.feed.entries = append(s.feed.entries, r)
	}
	close(s.feed.next)
	s.feed.next = make(chan struct{})
}

// Forget takes entries out, as if a copy from before them had been put in place
// of the database. Followers see it in their next snapshot.
func (s *Server) Forget(kind, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feed.entries = slices.DeleteFunc(s.feed.entries, func(r resource.Revocation) bool {
		return r.Kind == kind && r.ID == id
	})
	s.feed.copy++
	s.feed.seq = 0
	for _, r := range s.feed.entries {
		s.feed.seq = max(s.feed.seq, r.Seq)
	}
}

// after are the entries above seq, the last seq, the mark of the copy that it is
// of, and what is closed when there are more.
func (s *Server) after(seq int64) (list []resource.Revocation, head int64, mark string, next <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.feed.entries {
		if r.Seq > seq && time.Now().Before(r.Until) {
			list = append(list, r)
		}
	}
	return list, s.feed.seq, "copy-" + strconv.Itoa(s.feed.copy), s.feed.next
}

// follow writes server-sent events: a snapshot or what came after Last-Event-ID,
// then each entry, and a ping now and then.
func (s *Server) follow(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	switch {
	case !ok:
		w.Header().Set("WWW-Authenticate", "Basic")
		http.Error(w, "client authentication is missing", http.StatusUnauthorized)
		return
	case id != url.QueryEscape(s.ClientID) || secret != url.QueryEscape(s.ClientSecret):
		http.Error(w, "client authentication is wrong", http.StatusUnauthorized)
		return
	case r.URL.Query().Has("resource") && r.URL.Query().Get("resource") != s.Audience:
		http.Error(w, "the client does not serve this resource", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	seen, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	copy := r.URL.Query().Get("copy")
	resumes := err == nil && seen >= 0
	for {
		var out bytes.Buffer
		entries, head, mark, next := s.after(seen)
		if !resumes || seen > head || mark != copy {
			entries, head, mark, next = s.after(0)
			parts := wire(entries)
			for ; len(parts) > partSize && r.URL.Query().Has("copy"); parts = parts[partSize:] {
				writePart(&out, parts[:partSize])
			}
			writeEvent(&out, "snapshot", head, mark, parts)
			resumes = true
		} else {
			for i, e := range wire(entries) {
				writeEvent(&out, "revoke", entries[i].Seq, mark, e)
			}
		}
		seen, copy = head, mark
		if !send(w, out.Bytes()) {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-next:
		case <-ping.C:
			var out bytes.Buffer
			writeEvent(&out, "ping", seen, copy, struct{}{})
			if !send(w, out.Bytes()) {
				return
			}
		}
	}
}

func send(w http.ResponseWriter, text []byte) bool {
	if _, err := w.Write(text); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

// partSize is how many entries of a snapshot come at once.
const partSize = 10

func writePart(out *bytes.Buffer, entries []map[string]any) {
	text, err := json.Marshal(entries)
	if err != nil {
		panic(err) // nothing here can fail to marshal
	}
	fmt.Fprintf(out, "event: part\ndata: %s\n\n", text)
}

func writeEvent(out *bytes.Buffer, name string, id int64, mark string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // nothing here can fail to marshal
	}
	fmt.Fprintf(out, "event: %s\nid: %d\ncopy: %s\ndata: %s\n\n", name, id, mark, text)
}

func wire(entries []resource.Revocation) []map[string]any {
	out := make([]map[string]any, len(entries))
	for i, r := range entries {
		out[i] = map[string]any{"seq": r.Seq, "kind": r.Kind, "id": r.ID, "reason": r.Reason, "until": r.Until.Unix()}
		if r.Kind == resource.KindUser {
			out[i]["epoch"] = r.Epoch
			if r.SessionEpoch > 0 {
				out[i]["session_epoch"], out[i]["kept"] = r.SessionEpoch, r.Kept
			}
		}
	}
	return out
}
