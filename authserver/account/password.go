package account

import (
	_ "embed"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tokenwright/tokenwright/authserver"
)

const (
	minPassword = 8    // bytes
	maxPassword = 1024 // bytes
)

// common holds passwords of at least minPassword bytes that were seen most often
// in leaks, lower case, each between newlines; common.LICENSE says where they are from.
// Leaks are longer than any list: this one stops the first 18,000 guesses,
// not the next million.
//
//go:embed common.txt
var common string

// checkNewPassword refuses what is guessed first: a common password, also in
// other case, with digits or signs around it or for letters in it; one short
// piece over and over; neighbours in a row; one of the owner's own names with
// little else. There are no rules about kinds of characters (ASVS 6.2.5).
func checkNewPassword(pw string, names ...string) error {
	switch {
	case len(pw) < minPassword:
		return &InvalidError{"password", "string_too_short", fmt.Sprintf("use at least %d bytes", minPassword)}
	case len(pw) > maxPassword:
		return &InvalidError{"password", "string_too_long", fmt.Sprintf("use at most %d bytes", maxPassword)}
	case isCommon(pw) || repeats(pw) || inARow(pw):
		return &InvalidError{"password", "password_too_common", "this is among the passwords that are tried first; use another, such as several unrelated words"}
	case isAName(pw, names):
		return &InvalidError{"password", "password_too_common", "this is little more than the user name or e-mail address; use something unrelated"}
	}
	return nil
}

func isCommon(pw string) bool {
	lower := strings.ToLower(pw)
	plain := strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t").Replace
	core := strings.TrimFunc(lower, notLetter)
	// Signs stand for letters inside a word, and decorate it outside: what is
	// read as a letter must not be trimmed, nor the decoration read.
	trimmed := strings.TrimRightFunc(lower, notLetter)
	for _, guess := range distinct([]string{lower, core, plain(lower), plain(core), plain(trimmed)}) {
		if len(guess) >= minPassword && strings.Contains(common, "\n"+guess+"\n") {
			return true
		}
	}
	return false
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

func repeats(pw string) bool {
	for period := 1; period <= 4; period++ {
		if pw[period:] == pw[:len(pw)-period] {
			return true
		}
	}
	return false
}

func inARow(pw string) bool {
	step := int(pw[1]) - int(pw[0])
	if step != 1 && step != -1 {
		return false
	}
	for i := 1; i < len(pw); i++ {
		if int(pw[i])-int(pw[i-1]) != step {
			return false
		}
	}
	return true
}

// isAName reports whether pw is one of names with fewer than 5 characters more.
func isAName(pw string, names []string) bool {
	folded := authserver.Fold(pw)
	for _, name := range names {
		local, _, _ := strings.Cut(name, "@")
		for _, n := range []string{authserver.Fold(name), authserver.Fold(local)} {
			if utf8.RuneCountInString(n) < 3 || !strings.Contains(folded, n) {
				continue
			}
			if utf8.RuneCountInString(strings.ReplaceAll(folded, n, "")) < 5 {
				return true
			}
		}
	}
	return false
}
