package keys_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func TestSignExactly(t *testing.T) {
	const payload = `{"iss": "x", "iss":"y", "n":1.50}`
	for _, algorithm := range algorithms {
		r := ring(t, store(t), master(t, secretOne), algorithm)
		var usual struct{ Kid string }
		segment(t, sign(t, r, claims()), 0, &usual)
		own := `"alg":"` + algorithm + `","kid":"` + usual.Kid + `"`
		for _, tc := range []struct{ name, given, want string }{
			{"no header is that of every token", "", `{` + own + `,"typ":"at+jwt"}`},
			{"what it lacks comes first", `{"typ":"JWT"}`, `{` + own + `,"typ":"JWT"}`},
			{"what it has stays, byte for byte", `{ "kid":null , "alg":"` + algorithm + `"}`, `{ "kid":null , "alg":"` + algorithm + `"}`},
			{"an empty one", ` { } `, `{` + own + ` } `},
			{"one that has its kid", `{"kid":"stranger"}`, `{"alg":"` + algorithm + `","kid":"stranger"}`},
		} {
			t.Run(algorithm+" "+tc.name, func(t *testing.T) {
				var header []byte
				if tc.given != "" {
					header = []byte(tc.given)
				}
				token, err := r.SignExactly(header, []byte(payload))
				if err != nil {
					t.Fatal(err)
				}
				parts := strings.Split(token, ".")
				for i, want := range []string{tc.want, payload} {
					if got, err := base64.RawURLEncoding.DecodeString(parts[i]); err != nil || string(got) != want {
						t.Errorf("got %s, %v; want %s", got, err, want)
					}
				}
				key, err := r.Key(t.Context(), usual.Kid)
				if err != nil {
					t.Fatal(err)
				}
				signature, err := base64.RawURLEncoding.DecodeString(parts[2])
				if err != nil {
					t.Fatal(err)
				}
				if err := jwt.GetSigningMethod(algorithm).Verify(parts[0]+"."+parts[1], signature, key.Public); err != nil {
					t.Error(err)
				}
			})
		}
		for _, alg := range []string{`"none"`, `"PS256"`, `"` + strings.ToLower(algorithm) + `"`, `null`, `5`} {
			if _, err := r.SignExactly([]byte(`{"alg":`+alg+`}`), []byte(payload)); err == nil || !strings.Contains(err.Error(), algorithm) {
				t.Errorf("alg %s with a key for %s: %v", alg, algorithm, err)
			}
		}
	}
}
