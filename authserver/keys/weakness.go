package keys

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// minSecret is how many bytes a master secret has at least: those of the hash
// that HS256 uses (RFC 7518 §3.2).
const minSecret = 32

// weakness says why text cannot be a master secret; nil if nothing is known
// against it.
func weakness(text string) error {
	if text == "" {
		return errors.New("is empty")
	}
	if len(text) < minSecret {
		return fmt.Errorf("has %d bytes", len(text))
	}
	if placeholder(text) {
		return errors.New("is a placeholder that anyone can read")
	}
	if monotonous(text) {
		return errors.New("has too little variety to be random")
	}
	return nil
}

// placeholder reports whether text is the one that the tutorial prints or is
// made of the words that such texts are made of. No random secret has them.
func placeholder(text string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
	for _, words := range []string{"your256bitsecret", "secretkeyhere", "yoursecretkey", "changeinproduction", "changeme", "changethis"} {
		if strings.Contains(letters, words) {
			return true
		}
	}
	return false
}

// monotonous reports whether text has few different bytes or is a short piece
// again and again. 32 random hexadecimal digits have fewer than 8 different
// ones less than once in ten million.
func monotonous(text string) bool {
	seen := make(map[byte]bool)
	for i := range len(text) {
		seen[text[i]] = true
	}
	if len(seen) < 8 {
		return true
	}
	for period := 1; period <= minSecret/2; period++ {
		if text[period:] == text[:len(text)-period] {
			return true
		}
	}
	return false
}
