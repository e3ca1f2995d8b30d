package cli

import (
	"crypto/tls"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/certtest"
)

// writeCertificate makes a certificate for no address at all and its key.
func writeCertificate(t *testing.T, dir string) (env []string) {
	t.Helper()
	certtest.Write(t, dir, "auth.example.test")
	return []string{"TLS_CERT_FILE=" + filepath.Join(dir, certtest.Cert), "TLS_KEY_FILE=" + filepath.Join(dir, certtest.Key)}
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
