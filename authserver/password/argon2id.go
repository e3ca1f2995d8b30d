package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Argon2Params are the cost parameters of argon2id (RFC 9106 §3.1).
type Argon2Params struct {
	Memory  uint32 // m, in KiB
	Time    uint32 // t, passes over the memory
	Threads uint8  // p, lanes
}

// What a stored hash may ask for. It may come from elsewhere, and one login
// must not take the server's memory or minutes of its time.
const (
	maxArgon2Memory  = 256 << 10 // KiB
	maxArgon2Work    = 1 << 20   // KiB, memory × time: about a second
	maxArgon2Threads = 16
)

const (
	argon2SaltLen = 16
	argon2TagLen  = 32
)

var phcEncoding = base64.RawStdEncoding.Strict()

// argon2id hashes by its parameters.
type argon2id struct{ Argon2Params }

type argon2Hash struct {
	argon2id
	salt, tag []byte
}

func newArgon2id(p Argon2Params) (scheme, error) {
	if p == (Argon2Params{}) {
		p = Argon2Params{Memory: 19456, Time: 2, Threads: 1}
	}
	if !p.affordable() {
		return nil, fmt.Errorf("argon2id parameters m=%d,t=%d,p=%d are out of range: "+
			"p is 1 to %d, m (KiB) 8×p to %d, t at least 1, m×t at most %d",
			p.Memory, p.Time, p.Threads, maxArgon2Threads, maxArgon2Memory, maxArgon2Work)
	}
	return argon2id{p}, nil
}

func (p Argon2Params) affordable() bool {
	return p.Threads >= 1 && p.Threads <= maxArgon2Threads &&
		p.Memory >= 8*uint32(p.Threads) && p.Memory <= maxArgon2Memory &&
		p.Time >= 1 && uint64(p.Memory)*uint64(p.Time) <= maxArgon2Work
}

func (argon2id) accepts(string) error { return nil }

func (a argon2id) hash(pw string) (string, error) {
	salt := make([]byte, argon2SaltLen)
	rand.Read(salt)
	return a.encode(salt, a.key(pw, salt, argon2TagLen)), nil
}

func (a argon2id) dummy() string {
	b := make([]byte, argon2SaltLen+argon2TagLen)
	rand.Read(b)
	return a.encode(b[:argon2SaltLen], b[argon2SaltLen:])
}

func (a argon2id) key(pw string, salt []byte, n uint32) []byte {
	return argon2.IDKey([]byte(pw), salt, a.Time, a.Memory, a.Threads, n)
}

func (a argon2id) String() string {
	return fmt.Sprintf("argon2id m=%d,t=%d,p=%d", a.Memory, a.Time, a.Threads)
}

func (a argon2id) work() int64 { return int64(a.Memory) * int64(a.Time) }

// encode writes the PHC string.
func (a argon2id) encode(salt, tag []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		a.Memory, a.Time, a.Threads, phcEncoding.EncodeToString(salt), phcEncoding.EncodeToString(tag))
}

// parseArgon2id reads a PHC string. A short tag would match too easily, so that
// lengths are bounded from below too.
func parseArgon2id(s string) (stored, bool) {
	f := strings.Split(s, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, false
	}
	params := strings.Split(f[3], ",")
	if len(params) != 3 {
		return nil, false
	}
	m, okM := phcParam(params[0], "m=", 32)
	t, okT := phcParam(params[1], "t=", 32)
	p, okP := phcParam(params[2], "p=", 8)
	if !okM || !okT || !okP {
		return nil, false
	}
	a := Argon2Params{Memory: uint32(m), Time: uint32(t), Threads: uint8(p)}
	salt, errSalt := phcEncoding.DecodeString(f[4])
	tag, errTag := phcEncoding.DecodeString(f[5])
	if errSalt != nil || errTag != nil || !a.affordable() ||
		len(salt) < 8 || len(salt) > 64 || len(tag) < 16 || len(tag) > 64 {
		return nil, false
	}
	return argon2Hash{argon2id{a}, salt, tag}, true
}

func phcParam(s, name string, bits int) (uint64, bool) {
	digits, ok := strings.CutPrefix(s, name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, bits)
	return n, err == nil
}

func (h argon2Hash) scheme() scheme { return h.argon2id }

func (h argon2Hash) matches(pw string) bool {
	return subtle.ConstantTimeCompare(h.key(pw, h.salt, uint32(len(h.tag))), h.tag) == 1
}
