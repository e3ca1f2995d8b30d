package pgtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TLS starts a server that speaks TLS too, with a certificate for 127.0.0.1 that
// is its own CA's, in the file ca. URL wants that one. The test is skipped or
// fails as with New.
func TLS(t testing.TB) (s *Server, ca string) {
	t.Helper()
	s = prepare(t)
	cert, key := s.certificate()
	s.own = append(s.own, "ssl=on", "ssl_cert_file="+cert, "ssl_key_file="+key)
	s.URL = strings.Replace(s.URL, "sslmode=disable", "sslmode=verify-full&sslrootcert="+cert, 1)
	s.init()
	s.Start()
	return s, cert
}

// certificate writes one and its key where the server may read them.
func (s *Server) certificate() (cert, key string) {
	t := s.t
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "a test's own"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(s.dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		s.give(file)
		return file
	}
	return write("server.crt", "CERTIFICATE", public), write("server.key", "PRIVATE KEY", secret)
}
