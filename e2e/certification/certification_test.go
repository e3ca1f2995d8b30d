// Package certification keeps what the OpenID Foundation's suite is run with true
// to the program.
package certification

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var binary program.Binary

func TestMain(m *testing.M) { os.Exit(program.Main(m, &binary)) }

// TestFiles holds the plans' files to what was applied and to the pages.
func TestFiles(t *testing.T) {
	clients, err := os.ReadFile("clients.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	binary.Apply(t, dir, nil, string(clients))
	p := binary.Serve(t, dir, nil)

	for _, name := range []string{"basic.json", "logout.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var plan struct {
			Client struct {
				ID string `json:"client_id"`
			}
			Browser  []rule
			Override map[string]struct{ Browser []rule }
		}
		if err := json.Unmarshal(text, &plan); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		login := get(t, p.Base+"/oauth/authorize?"+url.Values{
			"client_id": {plan.Client.ID}, "response_type": {"code"}, "scope": {"openid"}, "nonce": {"n"},
			"redirect_uri": {"https://suite.example/test/a/tokenwright/callback"},
		}.Encode())
		for _, o := range plan.Override {
			plan.Browser = slices.Concat(plan.Browser, o.Browser)
		}
		for _, r := range plan.Browser {
			for _, task := range r.Tasks {
				for _, c := range task.Commands {
					if task.Task == "Log in" && !strings.Contains(login, `id="`+c[2].(string)+`"`) {
						t.Errorf("%s: the login page has no %s: %s", name, c[2], login)
					}
				}
			}
		}
	}
	refusal := get(t, p.Base+"/oauth/authorize?client_id=suite-one&redirect_uri=https://evil.example/")
	if _, main, _ := strings.Cut(refusal, "<main"); !strings.Contains(main, "cannot") {
		t.Errorf("the refusal says %s", main)
	}
	if out := get(t, p.Base+"/oauth/logout"); !strings.Contains(out, "logged out") {
		t.Errorf("the page after a logout says %s", out)
	}
}

type rule struct {
	Tasks []struct {
		Task     string
		Commands [][]any
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
