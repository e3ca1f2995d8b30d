package resource

import (
	"slices"
	"strconv"
	"time"
)

// MaxAge lets tokens through whose user has logged in no longer than d ago. The
// challenge to others says so, and the application may then let the person log in
// again (RFC 9470 §3). Tokens that do not say when, and clients' own, do not pass.
func MaxAge(d time.Duration) Rule {
	return Rule{
		allows: func(c *Claims) bool {
			return c.OfUser() && c.AuthTime > 0 && time.Since(time.Unix(c.AuthTime, 0)) <= d
		},
		detail: "Requires a more recent login",
		stepUp: `max_age="` + strconv.FormatInt(int64(d/time.Second), 10) + `"`,
	}
}

// acrs are the classes of authentication of this issuer, the least first.
var acrs = []string{"aal1", "aal2"}

// AtLeastACR lets tokens through whose user has logged in as surely as acr says:
// "aal1" with one factor, "aal2" with two. Another value has to be the token's own.
// The challenge to others names it (RFC 9470 §3).
func AtLeastACR(acr string) Rule {
	enough := []string{acr}
	if i := slices.Index(acrs, acr); i >= 0 {
		enough = acrs[i:]
	}
	return Rule{
		allows: func(c *Claims) bool { return c.OfUser() && c.ACR != "" && slices.Contains(enough, c.ACR) },
		detail: "Requires a stronger login",
		stepUp: `acr_values="` + quoted.Replace(acr) + `"`,
	}
}
