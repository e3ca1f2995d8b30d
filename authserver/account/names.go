package account

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/resource"
)

const (
	maxName     = 64  // bytes of a user name or client id
	maxEmail    = 254 // bytes (RFC 5321 §4.5.3.1.3, less the angle brackets)
	maxFullName = 200 // bytes
	maxRoles    = 64
)

// checkUsername keeps names within what every form, header and log can carry;
// without an @, so that no name is another user's e-mail address.
func checkUsername(s string) error {
	_, subject := authserver.ParseSubject(strings.ToLower(s))
	switch {
	case s == "":
		return &InvalidError{"username", "missing", "give a user name"}
	case len(s) > maxName:
		return &InvalidError{"username", "string_too_long", fmt.Sprintf("use at most %d characters", maxName)}
	case !only(s, "._-"):
		return &InvalidError{"username", "string_pattern_mismatch", "use letters A-Z and a-z, digits, dot, underscore and hyphen"}
	case subject: // it could be somebody's, of the event log too after that user is gone
		return &InvalidError{"username", "value_error", "a UUID is kept for subjects: use another name"}
	}
	return nil
}

// checkEmail takes an address as people write it and nothing around it. Whether
// somebody reads what is sent there is not known.
func checkEmail(s string) error {
	switch {
	case s == "":
		return &InvalidError{"email", "missing", "give an e-mail address"}
	case len(s) > maxEmail:
		return &InvalidError{"email", "string_too_long", fmt.Sprintf("use at most %d bytes", maxEmail)}
	}
	addr, err := mail.ParseAddress(s)
	// What it parsed must be all there was: no display name, comment or quotes.
	if err != nil || addr.Address != s || addr.Name != "" || strings.Count(s, "@") != 1 ||
		!utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return &InvalidError{"email", "value_error", "give an address such as name@example.com"}
	}
	return nil
}

func checkFullName(s string) error {
	switch {
	case len(s) > maxFullName:
		return &InvalidError{"full_name", "string_too_long", fmt.Sprintf("use at most %d bytes", maxFullName)}
	case !showable(s):
		return &InvalidError{"full_name", "value_error", "use UTF-8 text without control and formatting characters"}
	}
	return nil
}

// showable reports whether s reads the same wherever it is shown: without what
// ends a line, and without what turns the direction of text around or cannot be
// seen. The two joiners are letters' business in several scripts.
func showable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		const zwnj, zwj = '\u200c', '\u200d'
		return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Cf, r) && r != zwnj && r != zwj
	})
}

func checkRoles(known resource.Hierarchy, roles []string) error {
	if len(roles) > maxRoles {
		return &InvalidError{"roles", "too_long", fmt.Sprintf("give at most %d roles", maxRoles)}
	}
	for _, role := range roles {
		if !known.Known(role) {
			return &InvalidError{"roles", "value_error", "give only roles of ROLE_HIERARCHY"}
		}
	}
	return nil
}

// only reports whether s is ASCII letters, digits and bytes of also.
func only(s, also string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte(also, c) >= 0:
		default:
			return false
		}
	}
	return true
}

func unprintable(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }

func distinct(names []string) []string {
	out := []string{}
	seen := map[string]bool{}
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}
