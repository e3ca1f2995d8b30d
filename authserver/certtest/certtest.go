// Package certtest makes certificates for the servers that tests start.
package certtest

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
	"testing"
	"time"
)

// The files that Write makes.
const (
	CA   = "ca.crt"     // whom a client has to trust
	Cert = "server.crt" // the server's
	Key  = "server.key" // the server's
)

// Write puts a certificate for host, a name or an address, with its key and that
// of the CA which it is of into dir, as PEM. Each call makes a CA of its own. They
// are good for an hour.
func Write(t testing.TB, dir, host string) {
	t.Helper()
	issuer, issuerKey := template(1, "a test's own"), newKey(t)
	issuer.IsCA, issuer.BasicConstraintsValid, issuer.KeyUsage = true, true, x509.KeyUsageCertSign
	server, key := template(2, host), newKey(t)
	if ip := net.ParseIP(host); ip != nil {
		server.IPAddresses = []net.IP{ip}
	} else {
		server.DNSNames = []string{host}
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, CA), "CERTIFICATE", sign(t, issuer, issuer, issuerKey, issuerKey))
	write(t, filepath.Join(dir, Cert), "CERTIFICATE", sign(t, server, issuer, key, issuerKey))
	write(t, filepath.Join(dir, Key), "PRIVATE KEY", private)
}

func template(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, cert, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func write(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
