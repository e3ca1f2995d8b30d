package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate makes a certificate for no address at all and its key.
func writeCertificate(t *testing.T, dir string) (env []string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "auth.example.test"}, DNSNames: []string{"auth.example.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"TLS_CERT_FILE=" + filepath.Join(dir, "cert.pem"), "TLS_KEY_FILE=" + filepath.Join(dir, "key.pem")}
}

func TestServeTLS(t *testing.T) {
	dir := t.TempDir()
	env := writeCertificate(t, dir)
	p := start(t, dir, env, "--demo")
	host := strings.TrimPrefix(p.base, "http://")

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := client.Get("https://" + host + "/health")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("got %d with %v, want 200 with Strict-Transport-Security", res.StatusCode, res.Header)
	}

	healthcheck := func(env []string) (string, error) {
		cmd, err := command(dir, env, "healthcheck", "--listen", host)
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := healthcheck(env); err != nil || out != "ready\n" {
		t.Errorf("healthcheck: %q, %v", out, err)
	}
	if out, err := healthcheck(writeCertificate(t, t.TempDir())); err == nil {
		t.Errorf("healthcheck takes another server for this one: %q", out)
	}
}
