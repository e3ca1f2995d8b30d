package redistest

import (
	"testing"

	"github.com/tokenwright/tokenwright/authserver/certtest"
)

// TLS starts a server that speaks TLS only, with a certificate for 127.0.0.1 of
// a CA of its own. ca is the CA's certificate in a file, which URL names too.
// The test is skipped or fails as with New, and also for a redis-server without TLS.
func TLS(t testing.TB) (s *Server, ca string) {
	t.Helper()
	g := guard{dir: certificates(t)}
	return launch(t, g), g.file(certtest.CA)
}

// certificates makes a guard's dir.
func certificates(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	certtest.Write(t, dir, "127.0.0.1")
	return dir
}
