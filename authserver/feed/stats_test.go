package feed

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/authserver"
)

func TestStats(t *testing.T) {
	tail, db, _ := newTail(t)
	ctx := context.Background()
	end(t, db, authserver.KindSession, "before")
	if s := tail.Stats(); !s.ReadAt.IsZero() {
		t.Errorf("read at %v before the first Sync", s.ReadAt)
	}
	start := time.Now()
	if err := tail.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	end(t, db, authserver.KindSession, "s1")
	end(t, db, authserver.KindSession, "s2")
	end(t, db, authserver.KindToken, "j1")
	tail.Changed(ctx)
	tail.Changed(ctx)

	s := tail.Stats()
	if s.ReadAt.Before(start) {
		t.Errorf("read at %v, want after %v", s.ReadAt, start)
	}
	want := map[What]uint64{
		{authserver.KindSession, authserver.ReasonRevoked}: 2,
		{authserver.KindToken, authserver.ReasonRevoked}:   1,
	}
	if diff := cmp.Diff(want, s.Heard); diff != "" {
		t.Errorf("entries since the first Sync, each once: %s", diff)
	}
}

func TestStatsCountFollowers(t *testing.T) {
	tail, _, _ := newTail(t)
	if err := tail.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(context.Background())
	w := &watchedWriter{ResponseRecorder: httptest.NewRecorder(), written: make(chan struct{}, 8)}
	left := make(chan error)
	go func() {
		left <- tail.Follow(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil), Serves(nil), always)
	}()
	<-w.written
	if n := tail.Stats().Followers; n != 1 {
		t.Errorf("%d followers, want 1", n)
	}
	leave()
	<-left
	if n := tail.Stats().Followers; n != 0 {
		t.Errorf("%d followers after it has left", n)
	}
}

// watchedWriter says when it is written to, and has no deadlines to miss.
type watchedWriter struct {
	*httptest.ResponseRecorder
	written chan struct{}
}

func (w *watchedWriter) SetWriteDeadline(time.Time) error { return nil }

func (w *watchedWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseRecorder.Write(b)
	w.written <- struct{}{}
	return n, err
}
