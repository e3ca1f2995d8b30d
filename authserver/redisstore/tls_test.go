package redisstore_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func TestTLS(t *testing.T) {
	srv, ca := redistest.TLS(t)
	t.Run("sessions", func(t *testing.T) {
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, srv.URL) })
	})
	t.Run("redis:// with tls=true is the same", func(t *testing.T) { open(t, "redis://"+srv.Addr+"?tls=true&ca="+ca) })
	_, port, _ := strings.Cut(srv.Addr, ":")
	_, stranger := redistest.TLS(t)
	for name, url := range map[string]string{
		"a CA that the system does not know":  "rediss://" + srv.Addr,
		"a certificate of another CA":         "rediss://" + srv.Addr + "?ca=" + stranger,
		"a certificate for another host":      "rediss://localhost:" + port + "?ca=" + ca,
		"no TLS to a server that speaks only": "redis://" + srv.Addr,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redisstore.Open(t.Context(), url, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), "REDIS_URL") {
				t.Fatalf("got %v", err)
			}
			t.Log(err)
		})
	}
}
