package history

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// changesRoles is whether the user's roles change: where access tokens are shown
// to servers of other processes they would be refused for it now and then.
func (w *world) changesRoles() bool {
	return !slices.ContainsFunc(w.servers, func(s server) bool { _, ok := s.(*local); return !ok })
}

func (h *history) setRoles(ctx context.Context, editor bool) error {
	roles := []string{"user"}
	if editor {
		roles = []string{"editor"}
	}
	return outcome(ctx, h.desk.users.SetRoles(ctx, h.sub, roles, "test"))
}

// claims are those of an access token that matter here.
type claims struct {
	SessionID string   `json:"sid"`
	Roles     []string `json:"roles"`
}

func read(access string) (c claims, ok bool) {
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		return c, false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	return c, err == nil && json.Unmarshal(text, &c) == nil
}

// saysEditor is whether an access token says that its user is one, and whether
// there is a token at all.
func saysEditor(access string) (editor, ok bool) {
	c, ok := read(access)
	return slices.Contains(c.Roles, "editor"), ok
}

// register is a user's role, which changes of roles write and new access tokens
// read. It is apart from the sessions: a value that was read before a change and
// given out after it is seen here.
var register = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{false} },
	Step: func(state, input, output any) []any {
		c := input.(call)
		switch {
		case c.act == setRoles && output.(answer).nothing:
			return []any{state, c.editor}
		case c.act == setRoles:
			return []any{c.editor}
		case c.editor != state.(bool):
			return nil
		}
		return []any{state}
	},
}).ToModel()

// checkRoles wants each access token to have the roles that its user had at one
// moment while it was asked for.
func checkRoles(t *testing.T, seed uint64, ops []porcupine.Operation) {
	t.Helper()
	ops = slices.DeleteFunc(slices.Clone(ops), func(op porcupine.Operation) bool {
		c := op.Input.(call)
		return c.act != setRoles && !c.saysEditor
	})
	if result := porcupine.CheckOperationsTimeout(register, ops, time.Minute); result != porcupine.Ok {
		t.Errorf("seed %d: roles in access tokens: %v", seed, result)
	}
}

// checkAccess wants no access token to be good whose session has ended, or which
// has a role that its user has lost, now that nothing is under way.
func (h *history) checkAccess(t *testing.T) {
	t.Helper()
	lives, editor := map[string]bool{}, false
	for _, s := range h.sessions {
		if s != nil {
			lives[s.sid] = s.lives
		}
	}
	u, err := h.desk.db.User(t.Context(), h.sub)
	if err != nil {
		t.Errorf("seed %d: %v", h.seed, err)
		return
	}
	editor = slices.Contains(u.Roles, "editor")
	for _, on := range h.servers {
		s, ok := on.(*local)
		if !ok {
			return
		}
		if err := s.tail.Sync(t.Context()); err != nil {
			t.Errorf("seed %d: %v", h.seed, err)
			return
		}
		for _, access := range h.accesses {
			if _, err := s.Verifier.Verify(t.Context(), access); err != nil {
				continue
			}
			c, _ := read(access)
			if !lives[c.SessionID] {
				t.Errorf("seed %d: an access token of session %s is good, which has ended", h.seed, c.SessionID)
			}
			if slices.Contains(c.Roles, "editor") && !editor {
				t.Errorf("seed %d: an access token is good whose role was taken away", h.seed)
			}
		}
	}
}
