package redisstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func TestTLS(t *testing.T) {
	srv, ca := redistest.TLS(t)
	t.Run("sessions", func(t *testing.T) {
		storetest.Sessions(t, func(t *testing.T) authserver.SessionStore { return open(t, srv.URL) })
	})
	t.Run("rediss:// without tls=true is the same", func(t *testing.T) { open(t, "rediss://"+srv.Addr+"?ca="+ca) })
	distrusted(t, srv.URL)
}

// distrusted is for the URL of servers with a certificate for 127.0.0.1 of a CA
// of their own, which it names.
func distrusted(t *testing.T, url string) {
	t.Helper()
	_, stranger := redistest.TLS(t)
	plain, ca, _ := strings.Cut(url, "?tls=true&ca=")
	for _, tc := range []struct{ name, url, want string }{
		{"a CA that the system does not know", plain + "?tls=true", "is not good; give ca=FILE"},
		{"a certificate of another CA", plain + "?tls=true&ca=" + stranger, "is not good; give ca=FILE"},
		{"a certificate for another host", strings.ReplaceAll(plain, "127.0.0.1", "localhost") + "?tls=true&ca=" + ca, "a host that it is for"},
		{"no TLS to a server that speaks only that", plain, "does not answer"},
	} {
		t.Run(tc.name, func(t *testing.T) { wantRefusal(t, tc.url, tc.want) })
	}
}

// sufficient are a user's least rights at servers behind Sentinels, as at one.
var sufficient = []string{"~tw:*", "&tw:wake", "+@read", "+@write", "+@scripting", "+@transaction", "+@pubsub", "+time"}

func TestSentinelTLS(t *testing.T) {
	set := redistest.SentinelTLS(t, sufficient...)
	distrusted(t, set.URL)
	mistaken(t, set.URL)
	t.Run("REF-031 sessions go on, over a failover too", func(t *testing.T) {
		l := startLoad(t, 5, open(t, set.URL))
		l.progress(5)
		set.Primary.Stop()
		l.progress(5)
		l.wantOneCounter()
	})
}

func TestClusterTLS(t *testing.T) {
	set := redistest.ClusterTLS(t, append(sufficient, "+cluster|slots")...)
	distrusted(t, set.URL)
	mistaken(t, set.URL)
	t.Run("REF-031 sessions go on, over a failover too", func(t *testing.T) {
		l := startLoad(t, 20, open(t, set.URL))
		l.progress(5)
		set.Primaries[0].Stop()
		l.progress(5)
		l.wantBack(2 * time.Second)
		l.wantOneCounter()
	})
}

// mistaken is for the URL of servers with an ACL.
func mistaken(t *testing.T, url string) {
	t.Helper()
	scheme, rest, _ := strings.Cut(url, "://")
	user, servers, _ := strings.Cut(rest, "@")
	_, password, _ := strings.Cut(user, ":")
	for _, tc := range []struct{ name, user, want string }{
		{"a wrong password", "tokenwright:not-it@", "refuses the user or the password"},
		{"a user who is not there", "nobody:" + password + "@", "refuses the user or the password"},
		{"no password", "", "wants a password"},
	} {
		t.Run(tc.name, func(t *testing.T) { wantRefusal(t, scheme+"://"+tc.user+servers, tc.want) })
	}
}
