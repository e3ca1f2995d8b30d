package clients

import (
	"os/exec"
	"testing"
)

var python = language{
	folder: "python", needs: [][]string{{"python3", "-c", "import ensurepip"}}, pinned: "requirements.txt",
	install: func(dir string) *exec.Cmd {
		return exec.Command("sh", "-c", "python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check --no-deps -r requirements.txt")
	},
	run: func(script string) *exec.Cmd { return exec.Command("venv/bin/python", script) },
}

// TestPython is Authlib, requests-oauthlib, and PyJWT for what an API does.
func TestPython(t *testing.T) {
	s := newServer(t)
	for script, want := range map[string][]string{
		"authlib-requests.py": steps("discovery, code+PKCE, refresh, userinfo, logout, revocation",
			"introspection, client credentials, password"),
		"requests-oauthlib.py": steps("code+PKCE, refresh, userinfo, revocation", "client credentials, password"),
		"pyjwt.py":             {"web discovery", "web password", "web access token", "web ID token"},
	} {
		t.Run(script, func(t *testing.T) { python.script(t, s, script, want) })
	}
}
