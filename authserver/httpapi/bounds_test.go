package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// Whatever fills a body of 64 KiB is refused before it is taken apart piece by
// piece, and in few words.
func TestFullBodiesAreRefusedCheaply(t *testing.T) {
	fill := func(separator string, piece func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < 64_000; i++ {
			b.WriteString(piece(i) + separator)
		}
		return strings.TrimSuffix(b.String(), separator)
	}
	same := func(s string) func(int) string { return func(int) string { return s } }
	numbered := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	const login = "grant_type=password&client_id=spa&username=nobody&password=x&"
	const register = `{"username":"newuser","email":"new@example.com","password":"nine patient herons",`
	for _, tc := range []struct {
		name, path, kind, body string
		status                 int
		want                   string
	}{
		{"parameters", "/oauth/token", "x-www-form-urlencoded", login + fill("&", numbered("%x=1")), 400, "Too many parameters"},
		{"parameters of one name", "/oauth/token", "x-www-form-urlencoded", login + fill("&", same("audience=a")), 400, "Too many parameters"},
		{"parameters without a name", "/oauth/token", "x-www-form-urlencoded", login + fill("&", same("")), 400, "Too many parameters"},
		{"resources", "/oauth/token", "x-www-form-urlencoded", login + fill("&", numbered("resource=a:%x")), 400, "invalid_target"},
		{"parameters of a login", "/auth/login", "x-www-form-urlencoded", login + fill("&", numbered("%x=1")), 422, "Too many parameters"},
		{"values that are wrong", "/auth/register", "json", register + `"roles":[` + fill(",", same("1")) + `]}`, 422, "json_invalid"},
		{"values that are right", "/auth/register", "json", register + `"roles":[` + fill(",", same(`"user"`)) + `]}`, 422, "json_invalid"},
		{"members", "/auth/register", "json", "{" + fill(",", numbered(`"%x":1`)) + "}", 422, "json_invalid"},
		{"members of a refresh", "/auth/refresh", "json", "{" + fill(",", numbered(`"%x":1`)) + "}", 422, "json_invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			kind := "Content-Type: application/" + tc.kind
			f.do("POST", tc.path, "", kind) // what is made once
			var was, is runtime.MemStats
			runtime.ReadMemStats(&was)
			got := f.do("POST", tc.path, tc.body, kind).want(t, tc.status)
			runtime.ReadMemStats(&is)
			if !strings.Contains(got.body, tc.want) || len(got.body) > 1000 {
				t.Errorf("%d bytes: %.300s", len(got.body), got.body)
			}
			// Client and server together; a usual request has about 500.
			if n := is.Mallocs - was.Mallocs; n > 4000 {
				t.Errorf("%d allocations", n)
			}
		})
	}
	t.Run("parameters of a query", func(t *testing.T) {
		f := newFixture(t)
		f.do("GET", "/health", "")
		path := "/auth/refresh?" + fill("&", numbered("%x=1"))[:28_000]
		var was, is runtime.MemStats
		runtime.ReadMemStats(&was)
		got := f.do("POST", path, "").want(t, 400)
		runtime.ReadMemStats(&is)
		if n := is.Mallocs - was.Mallocs; n > 2000 || !strings.Contains(got.body, "Too many query parameters") {
			t.Errorf("%d allocations: %.300s", n, got.body)
		}
	})
	t.Run("a list with many faults has few told", func(t *testing.T) {
		f := newFixture(t)
		got := f.do("POST", "/auth/register", register+`"roles":[`+strings.Repeat("1,", 3000)+`1]}`, "Content-Type: application/json").want(t, 422)
		if n := strings.Count(got.body, `"loc"`); n != 16 {
			t.Errorf("%d faults in %d bytes", n, len(got.body))
		}
	})
}

// Who cannot unpack what is kept packed has it unpacked once for all.
func TestPackedFilesAreUnpackedOnce(t *testing.T) {
	f := newFixture(t)
	const script = "/docs/swagger-ui-bundle.js"
	size := len(f.do("GET", script, "", "Accept-Encoding: identity").want(t, 200).body)
	req := ok(http.NewRequest("GET", f.url+script, nil))(t)
	req.Header.Set("Accept-Encoding", "identity")
	var was, is runtime.MemStats
	runtime.ReadMemStats(&was)
	res := ok(http.DefaultClient.Do(req))(t)
	defer res.Body.Close()
	n := ok(io.Copy(io.Discard, res.Body))(t)
	runtime.ReadMemStats(&is)
	if allocated := is.TotalAlloc - was.TotalAlloc; int(n) != size || size < 1<<20 || allocated > 1<<20 {
		t.Errorf("%d of %d bytes, %d allocated", n, size, allocated)
	}
}
