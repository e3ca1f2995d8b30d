package authserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
)

// RefreshTokenPrefix starts every refresh token, so that secret scanners and
// people know one when they see it.
const RefreshTokenPrefix = "twr_"

// ErrBadRefreshToken says that a string is no refresh token of ours: its shape,
// its key or its MAC is wrong.
var ErrBadRefreshToken = errors.New("bad refresh token")

// RefreshToken is what a refresh token says. On the wire it is
// RefreshTokenPrefix and the base64url of
//
//	key id (4) | sid (16) | sub (16) | secret (16) | session epoch (4) | counter (4) | parent (16) | HMAC-SHA-256 (32)
//
// with the MAC over all before it. Without a parent those 16 bytes are left out,
// as in every token of a version before there were any. The successor of a token is computable from
// it, so that nothing is kept for an answer that was lost.
type RefreshToken struct {
	SessionID    [16]byte
	Subject      [16]byte
	Secret       [16]byte
	SessionEpoch uint32
	Counter      uint32
	// Parent is the browser session whose logout ends this one too; zero without.
	Parent [16]byte
}

// RefreshKey is a MAC key for refresh tokens, with the id that tokens name it by.
type RefreshKey struct {
	ID  [4]byte
	Key []byte
}

const refreshBody = 4 + 16 + 16 + 16 + 4 + 4

var refreshEncoding = base64.RawURLEncoding.Strict()

// Encode writes t under k.
func (t RefreshToken) Encode(k RefreshKey) string {
	b := make([]byte, 0, refreshBody+len(t.Parent)+sha256.Size)
	b = append(b, k.ID[:]...)
	b = append(b, t.SessionID[:]...)
	b = append(b, t.Subject[:]...)
	b = append(b, t.Secret[:]...)
	b = binary.BigEndian.AppendUint32(b, t.SessionEpoch)
	b = binary.BigEndian.AppendUint32(b, t.Counter)
	if t.Parent != [16]byte{} {
		b = append(b, t.Parent[:]...)
	}
	mac := hmac.New(sha256.New, k.Key)
	mac.Write(b)
	return RefreshTokenPrefix + refreshEncoding.EncodeToString(mac.Sum(b))
}

// ParseRefreshToken reads s under the key among keys that it names. Every fault
// is ErrBadRefreshToken: no store needs to be asked about garbage.
func ParseRefreshToken(s string, keys []RefreshKey) (RefreshToken, error) {
	text, ok := strings.CutPrefix(s, RefreshTokenPrefix)
	if !ok || len(text) > refreshEncoding.EncodedLen(refreshBody+16+sha256.Size) {
		return RefreshToken{}, ErrBadRefreshToken
	}
	b, err := refreshEncoding.DecodeString(text)
	if err != nil || refreshEncoding.EncodedLen(len(b)) != len(text) { // line ends are passed over
		return RefreshToken{}, ErrBadRefreshToken
	}
	if len(b) != refreshBody+sha256.Size && len(b) != refreshBody+16+sha256.Size {
		return RefreshToken{}, ErrBadRefreshToken
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	for _, k := range keys {
		if [4]byte(body) != k.ID {
			continue
		}
		mac := hmac.New(sha256.New, k.Key)
		mac.Write(body)
		if !hmac.Equal(mac.Sum(nil), sum) {
			continue
		}
		t := RefreshToken{
			SessionID: [16]byte(body[4:]),
			Subject:   [16]byte(body[20:]),
			Secret:    [16]byte(body[36:]),
		}
		t.SessionEpoch = binary.BigEndian.Uint32(body[52:])
		t.Counter = binary.BigEndian.Uint32(body[56:])
		if t.Counter == math.MaxUint32 { // has no successor
			return RefreshToken{}, ErrBadRefreshToken
		}
		copy(t.Parent[:], body[refreshBody:])
		return t, nil
	}
	return RefreshToken{}, ErrBadRefreshToken
}

// SID is the session's id in text, as Session.ID and the claim sid have it.
func (t RefreshToken) SID() string { return SessionIDText(t.SessionID) }

// Sub is the user's subject in text, as User.Subject and the claim sub have it.
func (t RefreshToken) Sub() string {
	s := hex.EncodeToString(t.Subject[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// ParentSID is the parent's id in text, or empty.
func (t RefreshToken) ParentSID() string {
	if t.Parent == [16]byte{} {
		return ""
	}
	return SessionIDText(t.Parent)
}

// ParseSessionID is the reverse of SessionIDText; false for any other text.
func ParseSessionID(s string) ([16]byte, bool) {
	b, err := refreshEncoding.DecodeString(s)
	if err != nil || len(b) != 16 || len(s) != refreshEncoding.EncodedLen(16) {
		return [16]byte{}, false
	}
	return [16]byte(b), true
}

// SessionIDText is the text form of a session's id.
func SessionIDText(id [16]byte) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// ParseSubject reads a subject's canonical text form; false for anything else.
func ParseSubject(s string) ([16]byte, bool) {
	var id [16]byte
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' || strings.ToLower(s) != s {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:]))
	return id, err == nil
}
