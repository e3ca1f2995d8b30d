package keys

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/audit"
)

// ErrWrongSecretKey says that what the database holds was made under a master
// secret that is neither the current nor a previous one.
var ErrWrongSecretKey = errors.New("SECRET_KEY is not the one this database was made with: " +
	"set that one again, or add it to SECRET_KEY_PREVIOUS")

// Master is SECRET_KEY with the previous ones, and all that is derived from
// them. It does not change and is safe for concurrent use.
type Master struct {
	secrets []secret // current first
}

// secret is one master secret. Every use has a key of its own, so that what
// leaks of one tells nothing of another.
type secret struct {
	id      [4]byte // names it beside what was made under it
	prk     []byte  // of HKDF (RFC 5869 §2.2)
	sealer  cipher.AEAD
	refresh []byte
	browser []byte
	client  []byte
	audit   []byte
	limit   []byte
	unknown []byte
	check   string
	signing key // HS256
}

// NewMaster derives everything from the bytes of the secrets as they are
// written. The error for one that is too short or can be guessed names
// SECRET_KEY or SECRET_KEY_PREVIOUS and never says what it is.
func NewMaster(current string, previous ...string) (*Master, error) {
	m := &Master{}
	for i, text := range append([]string{current}, previous...) {
		name := "SECRET_KEY"
		if i > 0 {
			name = "SECRET_KEY_PREVIOUS"
		}
		if err := weakness(text); err != nil {
			return nil, fmt.Errorf("%s %w: set at least %d random bytes, such as what `openssl rand -base64 48` prints",
				name, err, minSecret)
		}
		s, err := newSecret([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("derive from %s: %w", name, err)
		}
		m.secrets = append(m.secrets, s)
	}
	return m, nil
}

func newSecret(text []byte) (secret, error) {
	prk, err := hkdf.Extract(sha256.New, text, nil)
	if err != nil {
		return secret{}, err
	}
	derive := func(label string, size int) (key []byte) {
		if err == nil {
			key, err = hkdf.Expand(sha256.New, prk, "tokenwright "+label, size)
		}
		return key
	}
	s := secret{
		prk:     prk,
		refresh: derive("refresh token MAC", sha256.Size),
		browser: derive("browser cookie", sha256.Size),
		client:  derive("client secret hash", sha256.Size),
		audit:   derive("audit chain MAC", sha256.Size),
		limit:   derive("limiter key names", sha256.Size),
		unknown: derive("unknown users", sha256.Size),
		check:   hex.EncodeToString(derive("check value", 16)),
	}
	id := derive("key id", len(s.id))
	sealing := derive("signing key sealing", 32)
	// The id of the HS256 key is longer: a JWS names it alone, with no MAC key
	// of ours to tell two of one id apart.
	kid := derive("HS256 key id", 16)
	if err != nil {
		return secret{}, err
	}
	copy(s.id[:], id)
	s.signing, err = newKey("HS256", base64.RawURLEncoding.EncodeToString(kid), text)
	if err != nil {
		return secret{}, err
	}
	s.sealer, err = newSealer(sealing)
	return s, err
}

// find returns the secret with the given id.
func (m *Master) find(id [4]byte) (secret, bool) {
	for _, s := range m.secrets {
		if s.id == id {
			return s, true
		}
	}
	return secret{}, false
}

// RefreshKeys are the MAC keys of refresh tokens: the first makes them, all
// verify them.
func (m *Master) RefreshKeys() []authserver.RefreshKey {
	return m.tokenKeys(func(s secret) []byte { return s.refresh })
}

// BrowserKeys are the MAC keys of browsers' cookies, which are written like
// refresh tokens: the first makes them, all verify them.
func (m *Master) BrowserKeys() []authserver.RefreshKey {
	return m.tokenKeys(func(s secret) []byte { return s.browser })
}

func (m *Master) tokenKeys(of func(secret) []byte) []authserver.RefreshKey {
	keys := make([]authserver.RefreshKey, len(m.secrets))
	for i, s := range m.secrets {
		keys[i] = authserver.RefreshKey{ID: s.id, Key: of(s)}
	}
	return keys
}

// AuditKeys are the MAC keys of the audit log: the first writes it, all verify
// it.
func (m *Master) AuditKeys() []audit.Key {
	keys := make([]audit.Key, len(m.secrets))
	for i, s := range m.secrets {
		keys[i] = audit.Key{ID: hex.EncodeToString(s.id[:]), Secret: s.audit}
	}
	return keys
}

// LimitKey hides the names that a limiter counts by where others could read them.
func (m *Master) LimitKey() []byte { return m.secrets[0].limit }

// UnknownKey decides what a check of nobody's password imitates.
func (m *Master) UnknownKey() []byte { return m.secrets[0].unknown }

// CheckValue is what a database keeps to know its SECRET_KEY again. It tells
// nothing about the secret.
func (m *Master) CheckValue() string { return m.secrets[0].check }

// Opens reports whether checkValue was made under the current secret or a
// previous one. If not, ErrWrongSecretKey is the error to start with.
func (m *Master) Opens(checkValue string) bool {
	for _, s := range m.secrets {
		if subtle.ConstantTimeCompare([]byte(s.check), []byte(checkValue)) == 1 {
			return true
		}
	}
	return false
}
