package cli

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/authserver/certtest"
)

// A renewed certificate is taken up by itself, and a broken one is not.
func TestARenewedCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, certtest.Cert), filepath.Join(dir, certtest.Key)
	synctest.Test(t, func(t *testing.T) {
		age := 0
		touch := func() { // file systems tell times apart less finely than tests
			age++
			for _, file := range []string{cert, key} {
				at := time.Unix(1_800_000_000+int64(age), 0)
				if err := os.Chtimes(file, at, at); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(lookInterval)
		}
		certtest.Write(t, dir, "one.example.test")
		touch()
		var log bytes.Buffer
		c, err := loadCertificate(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		name := func() string {
			t.Helper()
			pair, err := c.get(&tls.ClientHelloInfo{})
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(pair.Leaf.DNSNames, " ")
		}
		if got := name(); got != "one.example.test" {
			t.Errorf("got %s", got)
		}
		certtest.Write(t, dir, "two.example.test")
		touch()
		if got := name(); got != "two.example.test" || strings.Count(log.String(), "new certificate is used") != 1 {
			t.Errorf("renewed: got %s, log %s", got, log.String())
		}
		good, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(key, []byte("half a ke"), 0o600); err != nil {
			t.Fatal(err)
		}
		touch()
		for range 3 {
			if got := name(); got != "two.example.test" {
				t.Errorf("broken: got %s", got)
			}
			time.Sleep(lookInterval)
		}
		if n := strings.Count(log.String(), "cannot be used"); n != 1 {
			t.Errorf("said %d times that it is broken: %s", n, log.String())
		}
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookInterval)
		if got := name(); got != "two.example.test" {
			t.Errorf("away: got %s", got)
		}
		if err := os.WriteFile(key, good, 0o600); err != nil {
			t.Fatal(err)
		}
		touch()
		if got := name(); got != "two.example.test" || strings.Count(log.String(), "new certificate is used") != 2 {
			t.Errorf("mended: got %s, log %s", got, log.String())
		}
	})
}
