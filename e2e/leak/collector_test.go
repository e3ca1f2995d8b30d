package leak

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// collector takes traces and keeps the bytes that they come in.
type collector struct {
	*httptest.Server
	mu  sync.Mutex
	got bytes.Buffer
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Encoding") != "" {
		w.WriteHeader(http.StatusNotFound) // the log then says that traces are lost
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	io.Copy(&c.got, r.Body)
}

// spans is all that was taken.
func (c *collector) spans() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.String()
}
