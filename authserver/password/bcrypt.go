package password

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// bcryptCost hashes by bcrypt, with 2^cost rounds.
type bcryptCost int

type bcryptHash struct {
	bcryptCost
	text string
}

const (
	bcryptMaxBytes = 72
	// maxBcryptCost bounds what a stored hash may ask for: about two seconds.
	maxBcryptCost = 15
)

// $2a$, $2b$ and $2y$ are one algorithm as long as no password is over 255
// bytes long; $2x$ is another.
var bcryptPattern = regexp.MustCompile(`^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$`)

var bcryptEncoding = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").
	WithPadding(base64.NoPadding)

func newBcrypt(cost int) (scheme, error) {
	if cost == 0 {
		cost = 12
	}
	if cost < bcrypt.MinCost || cost > maxBcryptCost {
		return nil, fmt.Errorf("bcrypt cost %d is out of range: %d to %d", cost, bcrypt.MinCost, maxBcryptCost)
	}
	return bcryptCost(cost), nil
}

func (bcryptCost) accepts(pw string) error {
	switch {
	case len(pw) > bcryptMaxBytes:
		return ErrTooLong
	case strings.IndexByte(pw, 0) >= 0:
		return ErrNUL
	}
	return nil
}

func (c bcryptCost) hash(pw string) (string, error) {
	b, err := bcrypt.GenerateFromPassword([]byte(pw), int(c))
	return string(b), err
}

func (c bcryptCost) dummy() string {
	b := make([]byte, 16+23)
	rand.Read(b)
	return fmt.Sprintf("$2a$%02d$%s%s", int(c), bcryptEncoding.EncodeToString(b[:16]), bcryptEncoding.EncodeToString(b[16:]))
}

func (c bcryptCost) String() string { return fmt.Sprintf("bcrypt %d", int(c)) }

// work at cost 12 is eight times what argon2id with 19 MiB and two passes takes,
// as measured.
func (c bcryptCost) work() int64 { return 80 << c }

func parseBcrypt(s string) (stored, bool) {
	m := bcryptPattern.FindStringSubmatch(s)
	if m == nil {
		return nil, false
	}
	cost, _ := strconv.Atoi(m[1])
	if cost < bcrypt.MinCost || cost > maxBcryptCost {
		return nil, false
	}
	return bcryptHash{bcryptCost(cost), s}, true
}

func (h bcryptHash) scheme() scheme { return h.bcryptCost }

// matches computes before it refuses what bcrypt would cut off or confuse.
func (h bcryptHash) matches(pw string) bool {
	same := bcrypt.CompareHashAndPassword([]byte(h.text), []byte(pw)) == nil
	return same && h.accepts(pw) == nil
}
