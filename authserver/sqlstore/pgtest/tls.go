package pgtest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/certtest"
)

// TLS starts a server that speaks TLS too, with a certificate for 127.0.0.1 of a
// CA of its own, which is in the file ca. URL wants that one. The test is skipped
// or fails as with New.
func TLS(t testing.TB) (s *Server, ca string) {
	t.Helper()
	s = prepare(t)
	file := func(name string) string { return filepath.Join(s.dir, name) }
	certtest.Write(t, s.dir, "127.0.0.1")
	for _, name := range []string{certtest.Cert, certtest.Key} {
		s.give(file(name))
	}
	s.own = append(s.own, "ssl=on", "ssl_cert_file="+file(certtest.Cert), "ssl_key_file="+file(certtest.Key))
	ca = file(certtest.CA)
	s.URL = strings.Replace(s.URL, "sslmode=disable", "sslmode=verify-full&sslrootcert="+ca, 1)
	s.init()
	s.Start()
	return s, ca
}
