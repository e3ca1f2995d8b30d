package resource

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Challenge is the answer to a request that may not pass.
type Challenge struct {
	Status          int    // 400, 401, 403 or 503
	WWWAuthenticate string // empty with 503
	Detail          string // for whoever asked
	RetryAfter      int    // seconds; only with 503
	// Err is why, for the log, and not for whoever asked; nil if Detail says it all.
	Err error
}

// Write answers with the status, the headers and {"detail": Detail}.
func (c *Challenge) Write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	NoStore(h)
	if c.WWWAuthenticate != "" {
		h.Set("WWW-Authenticate", c.WWWAuthenticate)
	}
	if c.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(c.RetryAfter))
	}
	body, _ := json.Marshal(map[string]string{"detail": c.Detail}) // strings always can be
	w.WriteHeader(c.Status)
	_, _ = w.Write(body) // if the connection is gone, nobody is left to tell
}

// NoStore marks an answer that depends on who asks: no cache may keep it (RFC
// 6750 §5.3).
func NoStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Authorization")
}
