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

// inProcess is whether the user's roles change and access tokens are used: servers
// of other processes hear a moment later of what has ended.
func (w *world) inProcess() bool {
	return !slices.ContainsFunc(w.servers, func(s server) bool { _, ok := s.(*local); return !ok })
}

func (h *history) setRoles(ctx context.Context, editor bool) error {
	roles := []string{"user"}
	if editor {
		roles = []string{"editor"}
	}
	return outcome(ctx, h.desk.users.SetRoles(ctx, h.sub, roles, "test"))
}

// saysEditor is whether an access token says that its user is one, and whether
// there is a token at all.
func saysEditor(access string) (editor, ok bool) {
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		return false, false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Roles []string `json:"roles"`
	}
	ok = err == nil && json.Unmarshal(text, &claims) == nil
	return slices.Contains(claims.Roles, "editor"), ok
}

// register is a user's role, which changes of roles write and new access tokens
// read. It is apart from the sessions: a value that was read before a change and
// given out after it is seen here, and a token that is good with a role that was
// taken away.
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

// use presents an access token to a server that has just heard of what has ended.
func (s *local) use(ctx context.Context, access string) error {
	if err := s.tail.Sync(ctx); err != nil {
		return outcome(ctx, err)
	}
	if _, err := s.Verifier.Verify(ctx, access); err != nil {
		return errRefused
	}
	return nil
}
