package resource

import (
	"errors"
	"fmt"
	"strings"
)

// maxKID bounds what is handed to a KeySource.
const maxKID = 128

// header is what a Verifier reads of a JOSE header.
type header struct{ algorithm, kid string }

// refusedMembers name keys of the sender's choice (RFC 8725 §3.10) or
// extensions that are not understood here (RFC 7515 §4.1.11).
var refusedMembers = []string{"jwk", "jku", "x5u", "x5c", "crit"}

var headerNames = append([]string{"alg", "typ", "kid"}, refusedMembers...)

func parseHeader(object []byte) (header, error) {
	m, err := members(object, headerNames)
	if err != nil {
		return header{}, fmt.Errorf("header: %w", err)
	}
	for _, name := range refusedMembers {
		if _, ok := m[name]; ok {
			return header{}, fmt.Errorf("header has %s", name)
		}
	}
	r := reader{members: m}
	h := header{algorithm: r.text("alg", required), kid: r.text("kid", required)}
	typ := r.text("typ", required)
	if r.err != nil {
		return header{}, fmt.Errorf("header: %w", r.err)
	}
	if len(h.kid) > maxKID {
		return header{}, errors.New("kid is too long")
	}
	if !accessTokenType(typ) {
		return header{}, errors.New("typ is not at+jwt") // RFC 9068 §4; RFC 8725 §3.11
	}
	return h, nil
}

// accessTokenType compares as media types compare, without regard to case.
func accessTokenType(typ string) bool {
	return strings.EqualFold(typ, "at+jwt") || strings.EqualFold(typ, "application/at+jwt")
}
