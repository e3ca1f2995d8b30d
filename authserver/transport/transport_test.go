package transport_test

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/certtest"
	"github.com/tokenwright/tokenwright/authserver/transport"
)

func TestSecure(t *testing.T) {
	dir := t.TempDir()
	certtest.Write(t, dir, "auth.example.test")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certtest.Cert), filepath.Join(dir, certtest.Key))
	if err != nil {
		t.Fatal(err)
	}
	here := &tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true}
	transport.Secure(here)
	for _, tc := range []struct {
		name  string
		other *tls.Config
		ok    bool
	}{
		{"TLS 1.3", &tls.Config{MinVersion: tls.VersionTLS13}, true},
		{"TLS 1.2 with GCM", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}, true},
		{"TLS 1.2 with ChaCha20", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}}, true},
		{"TLS 1.2 with CBC", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA}}, false},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
	} {
		other := tc.other
		other.Certificates, other.InsecureSkipVerify = here.Certificates, true
		for _, side := range []struct {
			name           string
			server, client *tls.Config
		}{{"listens", here, other}, {"connects", other, here}} {
			t.Run(tc.name+", who "+side.name+" here", func(t *testing.T) {
				a, b := net.Pipe()
				defer a.Close()
				defer b.Close()
				served := make(chan error, 1)
				go func() { served <- tls.Server(a, side.server).Handshake() }()
				err := tls.Client(b, side.client).Handshake()
				b.Close()
				if failed := err != nil || <-served != nil; failed == tc.ok {
					t.Errorf("got %v, want it taken: %v", err, tc.ok)
				}
			})
		}
	}
}
