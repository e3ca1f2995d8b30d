package account

import (
	"errors"
	"strings"
	"testing"
)

// ACC-002: what is guessed first is refused, and nothing that is merely plain.
func TestNewPasswords(t *testing.T) {
	common := strings.Fields(`
		password 12345678 qwertyuiop iloveyou sunshine1 trustno1 letmein1 admin123 password1 Password123
		PASSWORD Passw0rd P@ssw0rd p@$$w0rd P4ssw0rd! Password2026! 123password Football99! qwerty123 1q2w3e4r
		aaaaaaaa abababab abcabcabc abcdabcd 11111111 !!!!!!!!!! abcdefghij 987654321 zyxwvutsr
		alice123 Alice2026 123ALICE alice@example.com alicealice
	`)
	for _, pw := range common {
		err := checkNewPassword(pw, "alice", "alice@example.com")
		e, ok := errors.AsType[*InvalidError](err)
		if !ok || e.Type != "password_too_common" {
			t.Errorf("%q: got %v", pw, err)
		}
	}
	for _, pw := range []string{
		"securepass123", "correct horse", "seven unrelated turtles", "x7!kQ2zB", "malice in wonderland",
		"ünïcödé wörds", strings.Repeat("xy z!", 12) + "tail", strings.Repeat("é", 100) + " and more", "alice and nine ducks",
		"\x00\x01binary\xff", "48151672", " leading space",
	} {
		if err := checkNewPassword(pw, "alice", "alice@example.com"); err != nil {
			t.Errorf("%q: %v", pw, err)
		}
	}
}

func BenchmarkNewPassword(b *testing.B) {
	for b.Loop() {
		if err := checkNewPassword("seven unrelated turtles", "alice", "alice@example.com"); err != nil {
			b.Fatal(err)
		}
	}
}
