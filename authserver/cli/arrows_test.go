package cli

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestArrows holds who may import whom.
func TestArrows(t *testing.T) {
	const module = "github.com/tokenwright/tokenwright"
	imports := map[string][]string{} // of ours, without those of tests
	foreign := map[string][]string{} // with a dot in their first element
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := short(fields[0])
		imports[name] = nil
		for _, path := range fields[1:] {
			first, _, _ := strings.Cut(path, "/")
			switch {
			case path == module || strings.HasPrefix(path, module+"/"):
				imports[name] = append(imports[name], short(path))
			case strings.Contains(first, "."):
				foreign[name] = append(foreign[name], path)
			}
		}
	}
	has := func(list []string, name string) bool { return slices.Contains(list, name) }
	technology := []string{"authserver/sqlstore", "authserver/redisstore", "authserver/httpapi", "authserver/password"}
	mounted := []string{"authserver/httpapi", "authserver/pages", "authserver/demo"} // on web, by cli

	for name, list := range imports {
		for _, other := range list {
			switch {
			case other == "authserver/cli" && name != ".":
				t.Errorf("%s imports cli: nothing but main may", name)
			case has(mounted, other) && name != "authserver/cli":
				t.Errorf("%s imports %s: only cli mounts it", name, other)
			case name == "authserver/httpapi" && other == "authserver/password":
				// For its *BusyError, which only httpapi can answer.
			case has(technology, name) && has(technology, other):
				t.Errorf("%s imports %s: technology packages do not know one another", name, other)
			case name == "resource" || strings.HasPrefix(name, "resource/"):
				if other == "authserver" || strings.HasPrefix(other, "authserver/") {
					t.Errorf("%s imports %s: resource servers know the authorization server by its tokens alone", name, other)
				}
			case name == "authserver/web" && other != "authserver" && other != "resource":
				t.Errorf("%s imports %s: it lies below all that answers over HTTP", name, other)
			case name == "authserver", name == "authserver/doctor", name == "config", name == "migrations":
				t.Errorf("%s imports %s: it imports nothing of ours", name, other)
			}
		}
	}
	if list := foreign["authserver"]; len(list) > 0 {
		t.Errorf("authserver imports %v: the vocabulary needs the standard library only", list)
	}
	for _, path := range foreign["resource"] {
		if path != "github.com/golang-jwt/jwt/v5" {
			t.Errorf("resource imports %s: whoever imports it gets golang-jwt and nothing else", path)
		}
	}
	for name, list := range foreign {
		for _, path := range list {
			if strings.HasPrefix(path, "github.com/go-oauth2/") && name != "authserver/oauth" {
				t.Errorf("%s imports %s: oauth is the only one that knows it", name, path)
			}
			if (strings.HasPrefix(path, "github.com/prometheus/") || strings.HasPrefix(path, "go.opentelemetry.io/")) && name != "authserver/telemetry" {
				t.Errorf("%s imports %s: telemetry is the only one that knows it", name, path)
			}
		}
	}
	if len(imports["."]) == 0 || len(imports["authserver/cli"]) == 0 {
		t.Error("go list has not seen main or cli")
	}
}

func short(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "github.com/tokenwright/tokenwright"), "/")
	if path == "" {
		return "."
	}
	return path
}
