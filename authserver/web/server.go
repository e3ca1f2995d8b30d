package web

import (
	"net/http"
	"time"
)

// NewServer returns a server for h whose limits leave no connection held for
// nothing: headers up to 32 KiB within 5 s, the whole request within 15 s.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}
