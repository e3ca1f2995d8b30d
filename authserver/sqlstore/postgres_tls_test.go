package sqlstore_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
)

func TestPostgresTLS(t *testing.T) {
	server, ca := pgtest.TLS(t)
	t.Run("what is asked is asked over TLS", func(t *testing.T) {
		d := openURL(t, server.URL)
		wantBack(t, asks(t, d))
		var open, secured int
		err := rawPostgres(t, server.URL).QueryRowContext(t.Context(), `
			select count(*), count(*) filter (where ssl) from pg_stat_ssl
			join pg_stat_activity using (pid) where application_name = 'tokenwright'`).Scan(&open, &secured)
		if err != nil || open == 0 || secured != open {
			t.Errorf("%d of %d connections speak TLS, %v", secured, open, err)
		}
	})
	const distrusted = "has a certificate that is not good: in DATABASE_URL, set sslrootcert"
	stranger := httptest.NewTLSServer(nil)
	defer stranger.Close()
	strangersCA := filepath.Join(t.TempDir(), "ca.crt")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stranger.Certificate().Raw})
	if err := os.WriteFile(strangersCA, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, url, want string }{
		{"a certificate of another CA", strings.Replace(server.URL, ca, strangersCA, 1), distrusted},
		{"a CA that the system does not know", strings.Replace(server.URL, "&sslrootcert="+ca, "", 1), distrusted},
		{"a certificate for another host", strings.Replace(server.URL, "127.0.0.1", "localhost", 1), distrusted},
		{"a certificate of another CA, whatever the host", strings.Replace(strings.Replace(server.URL, ca, strangersCA, 1), "verify-full", "verify-ca", 1), distrusted},
		{"a CA that is not there", strings.Replace(server.URL, ca, "/no/such/file", 1), "correct sslrootcert"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: tc.url})
			if err == nil || !strings.Contains(err.Error(), "DATABASE_URL") || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one sentence with DATABASE_URL and %q", err, tc.want)
			}
			t.Log(err)
		})
	}
}
