package clients

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

var node = language{
	folder: "node", needs: [][]string{{"node", "--version"}, {"npm", "--version"}}, pinned: "package-lock.json",
	install: func(dir string) *exec.Cmd {
		return exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	},
	run: func(script string) *exec.Cmd { return exec.Command("node", script) },
}

// TestNode is openid-client, oauth4webapi, jose and Passport's strategy.
func TestNode(t *testing.T) {
	s := newServer(t)
	for script, want := range map[string][]string{
		"openid-client.mjs": steps("discovery, code+PKCE, refresh, userinfo, logout, revocation",
			"pushed request, introspection, client credentials, password"),
		"oauth4webapi.mjs": steps("discovery, code+PKCE, access token, refresh, userinfo, logout, revocation",
			"introspection, client credentials"),
		"passport-oauth2.mjs": steps("code+PKCE, userinfo, refresh", ""),
		"jose.mjs":            {"web discovery", "web password", "web access token", "web ID token"},
	} {
		t.Run(script, func(t *testing.T) { node.script(t, s, script, want) })
	}
}

// The packages come from the registry that npm is configured for.
func TestLockFileNamesNoRegistry(t *testing.T) {
	text, err := os.ReadFile("node/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(`"resolved"`)) {
		t.Error(`package-lock.json has addresses: npm install --package-lock-only --omit-lockfile-registry-resolved`)
	}
}
