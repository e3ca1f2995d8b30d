package cli

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoSecretInLog proves ACC-011: whatever is sent in, well or badly, and
// whatever is given out, the log of the whole run has none of it, at its
// loudest; nor has the database.
func TestNoSecretInLog(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, []string{"LOG_LEVEL=debug"}, "--demo")
	secrets := []string{"admin123", "user123", "mod123", "demo-service-secret"}

	type step struct {
		method, path string
		header       http.Header
		body         string
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	asJSON := http.Header{"Content-Type": {"application/json"}}
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	do := func(s step) map[string]any {
		t.Helper()
		_, answer, err := ask(s.method, p.base+s.path, s.header.Clone(), s.body)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if json.Unmarshal([]byte(answer), &members) != nil {
			return nil
		}
		for _, name := range []string{"access_token", "refresh_token"} {
			if token, ok := members[name].(string); ok {
				secrets = append(secrets, token, token[strings.LastIndexByte(token, '.')+1:])
			}
		}
		return members
	}

	login := do(step{"POST", "/auth/login", form, "username=admin&password=admin123"})
	access, refresh := login["access_token"].(string), login["refresh_token"].(string)
	next := do(step{"POST", "/auth/refresh?refresh_token=" + url.QueryEscape(refresh), nil, ""})
	do(step{"GET", "/api/admin", bearer(access), ""})
	do(step{"POST", "/auth/password", merge(bearer(access), asJSON), `{"current_password":"admin123","new_password":"brand-new-secret-1"}`})
	do(step{"POST", "/auth/register", asJSON, `{"email":"new@example.com","username":"new","password":"registered-secret-2"}`})
	secrets = append(secrets, "brand-new-secret-1", "registered-secret-2")

	// And where it is not expected.
	for i, s := range []step{
		{"POST", "/auth/login", form, "username=admin&password=MISPLACED"},
		{"POST", "/auth/login", form, "username=MISPLACED&password=MISPLACED"},
		{"POST", "/auth/login", form, "password=MISPLACED"},
		{"POST", "/auth/login?password=MISPLACED", form, "username=admin"},
		{"POST", "/auth/login", asJSON, `{"username":"admin","password":"MISPLACED"`},
		{"POST", "/auth/register", asJSON, `{"email":"x","username":"MISPLACED ","password":"MISPLACED"}`},
		{"POST", "/auth/register", asJSON, `{"email":"x@example.com","username":"x","password":["MISPLACED"]}`},
		{"POST", "/auth/refresh?refresh_token=MISPLACED", nil, ""},
		{"POST", "/auth/refresh", asJSON, `{"refresh_token":"twr_MISPLACED"}`},
		{"POST", "/oauth/token", form, "grant_type=refresh_token&client_id=demo-app&refresh_token=MISPLACED"},
		{"POST", "/oauth/token", form, "grant_type=client_credentials&client_id=demo-service&client_secret=MISPLACED"},
		{"POST", "/oauth/token?client_secret=MISPLACED", form, "grant_type=client_credentials&client_id=MISPLACED"},
		{"POST", "/oauth/token", form, "grant_type=MISPLACED&password=%zzMISPLACED"},
		{"GET", "/api/private?access_token=MISPLACED", nil, ""},
		{"GET", "/api/private", bearer("MISPLACED"), ""},
		{"GET", "/api/private", bearer(access + "MISPLACED"), ""},
		{"GET", "/api/private", http.Header{"Authorization": {"Basic MISPLACED"}}, ""},
		{"GET", "/api/private", http.Header{"Cookie": {"session=MISPLACED"}}, ""},
		{"GET", "/nowhere?token=MISPLACED", nil, ""},
	} {
		marker := "misplaced-secret-" + string(rune('a'+i))
		secrets = append(secrets, marker)
		s.path = strings.ReplaceAll(s.path, "MISPLACED", marker)
		s.body = strings.ReplaceAll(s.body, "MISPLACED", marker)
		for name, values := range s.header {
			s.header[name] = []string{strings.ReplaceAll(values[0], "MISPLACED", marker)}
		}
		do(s)
	}
	// A replay ends the session, and is logged.
	do(step{"POST", "/auth/refresh", asJSON, `{"refresh_token":"` + next["refresh_token"].(string) + `"}`})
	do(step{"POST", "/auth/refresh", asJSON, `{"refresh_token":"` + refresh + `"}`})

	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	log := p.log.String()
	if !strings.Contains(log, "route=/auth/login") {
		t.Fatalf("the log says nothing of a login:\n%s", log)
	}
	database := readAll(t, filepath.Join(dir, "data", "demo.db*"))
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		if line := lineWith(log, secret); line != "" {
			t.Errorf("the log has %q: %s", secret, line)
		}
		if strings.Contains(database, secret) {
			t.Errorf("the database has %q", secret)
		}
	}
}

func merge(headers ...http.Header) http.Header {
	all := http.Header{}
	for _, h := range headers {
		for name, values := range h {
			all[name] = values
		}
	}
	return all
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

func readAll(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no file %s: %v", pattern, err)
	}
	var all strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
