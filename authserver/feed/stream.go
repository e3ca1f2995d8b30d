package feed

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// stream collects events and writes them at once.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
	begun   bool // the first flush sends the headers, with events or without
}

// event adds one. A follower that does not know of marks ignores the field, as
// server-sent events want it.
func (s *stream) event(name string, id int64, mark string, data []byte) {
	fmt.Fprintf(&s.buf, "event: %s\nid: %d\ncopy: %s\ndata: %s\n\n", name, id, mark, data)
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
