package resource

import (
	"errors"
	"fmt"
	"strings"
)

// Hierarchy orders roles: each holds all that the lower ones hold. The zero
// Hierarchy knows no role. It does not change and may be shared.
type Hierarchy struct {
	rank map[string]int // from 1; an unknown role has 0
}

// ParseHierarchy reads roles from the least to the greatest, as in
// "viewer<user<editor<moderator<admin". Space around a name is ignored.
func ParseHierarchy(s string) (Hierarchy, error) {
	if strings.TrimSpace(s) == "" {
		return Hierarchy{}, errors.New(`role hierarchy is empty; write roles from the least to the greatest, as in "user<admin"`)
	}
	h := Hierarchy{rank: map[string]int{}}
	for i, name := range strings.Split(s, "<") {
		name = strings.TrimSpace(name)
		if !roleName(name) {
			return Hierarchy{}, fmt.Errorf("role hierarchy: %q is not a role name; use 1 to 64 of A-Z a-z 0-9 . _ : -", name)
		}
		if h.Known(name) {
			return Hierarchy{}, fmt.Errorf("role hierarchy: role %q stands twice; name each once", name)
		}
		h.rank[name] = i + 1
	}
	return h, nil
}

// Known says whether role is one of the hierarchy's. Names compare byte by byte.
func (h Hierarchy) Known(role string) bool { return h.rank[role] > 0 }

// Holds says whether one of roles is least or above it. Unknown roles hold
// nothing, and nobody holds an unknown least.
func (h Hierarchy) Holds(roles []string, least string) bool {
	need := h.rank[least]
	if need == 0 {
		return false
	}
	for _, role := range roles {
		if h.rank[role] >= need {
			return true
		}
	}
	return false
}

func roleName(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("._:-", c) >= 0:
		default:
			return false
		}
	}
	return true
}
