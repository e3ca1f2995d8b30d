package upgrade

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// picture is what can be seen of a deployment without changing it, by what it
// is. Two versions must give the same, but the later one may add to it.
type picture map[string]any

// take asks a server about every session, and for its keys and its feed.
func take(t *testing.T, s server, sessions []session) picture {
	t.Helper()
	ok := good(t)
	pic := picture{}
	for _, x := range sessions {
		pic["introspection of the access token "+x.name] = decode(t, ok(s.introspect(x.tokens.Access)).Body)
		pic["introspection of the refresh token "+x.name] = decode(t, ok(s.introspect(x.tokens.Refresh)).Body)
		a, err := program.Get(s.http, s.base+"/api/private", x.tokens.Access)
		if err != nil {
			t.Fatal(err)
		}
		pic["the API to the access token "+x.name] = []any{a.Status, decode(t, a.Body)}
		if !x.lives {
			a, err := program.Post(s.http, s.base+"/oauth/token", form(x.client, "grant_type", "refresh_token", "refresh_token", x.tokens.Refresh))
			if err != nil || a.Status == 200 {
				t.Errorf("a session that has ended refreshes %s: %d, %v", x.name, a.Status, err)
			}
			answer := decode(t, a.Body)
			delete(answer.(map[string]any), "error_description") // words for people
			pic["the answer to the refresh token "+x.name] = []any{a.Status, answer}
		}
	}
	pic["the keys"] = decode(t, ok(s.call(200, "GET", "/.well-known/jwks.json", "", "")).Body)
	ended, err := s.ended(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pic["the feed"] = ended
	return pic
}

// list adds what the commands of a version print.
func (pic picture) list(t *testing.T, h *home, by program.Binary) {
	t.Helper()
	for _, command := range []string{
		"user list", "client list", "keys list", "session list --user alice", "session list --user alice --ended",
		"session list --user bob --ended", "session list --user carol", "session list --user dave",
	} {
		pic[command] = decode(t, by.Run(t, h.dir, h.env, append(strings.Fields(command), "--output", "json")...))
	}
	leaveOutGone(pic["session list --user alice"].(map[string]any))
}

// leaveOutGone leaves out the sessions of a client that was removed. They have
// ended with it, and the version before listed them as live.
func leaveOutGone(list map[string]any) {
	listed := list["sessions"].([]any)
	left := slices.DeleteFunc(slices.Clone(listed), func(s any) bool { return s.(map[string]any)["client_id"] == "gone" })
	list["sessions"] = left
	list["total"] = list["total"].(float64) - float64(len(listed)-len(left))
}

func decode(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// differs returns what of the earlier picture is not in the later one.
func (pic picture) differs(later picture) error {
	var errs []error
	for _, what := range slices.Sorted(maps.Keys(pic)) {
		if err := within(pic[what], later[what]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	return errors.Join(errs...)
}

// within wants every member of the earlier value in the later one.
func within(earlier, later any) error {
	switch e := earlier.(type) {
	case map[string]any:
		l, _ := later.(map[string]any)
		for name := range e {
			if err := within(e[name], l[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	case []any:
		l, _ := later.([]any)
		if len(l) != len(e) {
			return fmt.Errorf("got %d, want %d: %v", len(l), len(e), later)
		}
		for i := range e {
			if err := within(e[i], l[i]); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	}
	if !reflect.DeepEqual(earlier, later) {
		return fmt.Errorf("got %v, want %v", later, earlier)
	}
	return nil
}
