package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/seal"
)

// CodePrefix starts every authorization code, as authserver.RefreshTokenPrefix
// does a refresh token.
const CodePrefix = "twc_"

// codeLifetime is how long a code may wait for its redemption (RFC 6749 §4.1.2).
const codeLifetime = time.Minute

// errBadCode says that a text is no code of ours, or not for this client and this
// redirect URI.
var errBadCode = errors.New("bad authorization code")

// errVerifier is behind the refusal of a code whose challenge was not met.
var errVerifier = errors.New("wrong code verifier")

// code is an authorization code: the refresh token number zero of a session, and
// what has to be met before a store is asked. On the wire it is CodePrefix and
// the sealed
//
//	sid (16) | sub (16) | secret (16) | parent (16) | session epoch (4) | milliseconds (8) | length (1) | challenge (0 or 32) | nonce
//
// The secret is the session's own: nobody reads it out of a code without
// SECRET_KEY, so that what went through a browser makes no refresh token.
type code struct {
	token     authserver.RefreshToken
	at        time.Time // of the answer, in milliseconds
	challenge []byte    // SHA-256 of the verifier, or empty (RFC 7636 §4.2)
	nonce     string
}

const codeBody = 4*16 + 4 + 8 + 1

// seal writes c for one client and the redirect URI of its request, as that was
// sent: nobody else opens it (RFC 6749 §4.1.3).
func (c code) seal(box seal.Box, clientID, redirectURI string) string {
	b := make([]byte, 0, codeBody+len(c.challenge)+len(c.nonce))
	b = append(b, c.token.SessionID[:]...)
	b = append(b, c.token.Subject[:]...)
	b = append(b, c.token.Secret[:]...)
	b = append(b, c.token.Parent[:]...)
	b = binary.BigEndian.AppendUint32(b, c.token.SessionEpoch)
	b = binary.BigEndian.AppendUint64(b, uint64(c.at.UnixMilli()))
	b = append(append(append(b, byte(len(c.challenge))), c.challenge...), c.nonce...)
	return CodePrefix + box.SealText(b, codeFor(clientID, redirectURI))
}

// openCode reads what seal wrote. Every fault is errBadCode: no store needs to be
// asked about garbage.
func openCode(box seal.Box, text, clientID, redirectURI string) (code, error) {
	text, ok := strings.CutPrefix(text, CodePrefix)
	if !ok {
		return code{}, errBadCode
	}
	b, err := box.OpenText(text, codeFor(clientID, redirectURI))
	if err != nil || len(b) < codeBody || len(b) < codeBody+int(b[codeBody-1]) {
		return code{}, errBadCode
	}
	challenge := b[codeBody:][:b[codeBody-1]]
	return code{
		token: authserver.RefreshToken{
			SessionID: [16]byte(b), Subject: [16]byte(b[16:]), Secret: [16]byte(b[32:]), Parent: [16]byte(b[48:]),
			SessionEpoch: binary.BigEndian.Uint32(b[64:]),
		},
		at:        time.UnixMilli(int64(binary.BigEndian.Uint64(b[68:]))),
		challenge: challenge,
		nonce:     string(b[codeBody+len(challenge):]),
	}, nil
}

// codeFor is beside what is sealed. Neither a client id nor a URI has a zero byte.
func codeFor(clientID, redirectURI string) []byte { return []byte(clientID + "\x00" + redirectURI) }

// expired reports whether c is older than a code may be. Its session, made again
// by an answer to the same request, may be younger.
func (c code) expired(now time.Time) bool { return now.Sub(c.at) >= codeLifetime }

// accepts reports whether the verifier of a token request, which may be none, is
// that of the challenge (RFC 7636 §4.6); one without the other is not (RFC 9700
// §4.8.2).
func (c code) accepts(verifier string) bool {
	if len(c.challenge) == 0 || verifier == "" {
		return len(c.challenge) == 0 && verifier == ""
	}
	unreserved := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r)
	}
	if len(verifier) < 43 || len(verifier) > 128 || strings.ContainsFunc(verifier, func(r rune) bool { return !unreserved(r) }) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare(sum[:], c.challenge) == 1
}
