package resource_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

func TestVerifyTakesGoodTokens(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run("JWT-002 "+algorithm, func(t *testing.T) {
			f := newFixture(t, algorithm)
			want := f.User("alice", "user")
			want.Scope = "read profile"
			got, err := f.verifier.Verify(t.Context(), f.Token(f.key, want))
			if err != nil {
				t.Fatal(err)
			}
			if string(marshal(t, got)) != string(marshal(t, want)) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			wantGood(t, f.verify(t, f.Token(f.key, f.Client("service"))))
		})
	}
}

func TestVerifyClaims(t *testing.T) {
	f := newFixture(t, "ES256")
	remove := func(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	now := time.Now().Unix()
	for _, tc := range []struct {
		name string
		edit func(map[string]any) // of a good user's token
		good bool
	}{
		{"an unknown member", set("acr_values", []any{map[string]any{"a": 1}}), true},
		{"RSV-010 nbf in 300 s", set("nbf", now+300), false},
		{"nbf in the past", set("nbf", now-300), true},
		{"RSV-011 iat 30 s ahead", set("iat", now+30), true},
		{"a time with a fraction", set("iat", float64(now)+0.5), true},
		{"RSV-012 aud of another API", set("aud", "https://other.example.test"), false},
		{"RSV-012 aud missing", remove("aud"), false},
		{"RSV-012 aud empty", set("aud", []string{}), false},
		{"RSV-012 aud in another case", set("aud", strings.ToUpper(f.Audience)), false},
		{"RSV-012 aud with a number", set("aud", []any{f.Audience, 1}), false},
		{"RSV-012 aud null", set("aud", nil), false},
		{"RSV-013 aud among others", set("aud", []string{"https://other", f.Audience}), true},
		{"RSV-014 iss with a slash", set("iss", f.URL+"/"), false},
		{"RSV-014 iss in another case", set("iss", "https://AUTH.example.test"), false},
		{"RSV-014 iss over http", set("iss", "http://auth.example.test"), false},
		{"RSV-014 iss missing", remove("iss"), false},
		{"RSV-025 exp missing", remove("exp"), false},
		{"RSV-025 sub missing", remove("sub"), false},
		{"RSV-025 sub empty", set("sub", ""), false},
		{"RSV-025 client_id missing", remove("client_id"), false},
		{"RSV-025 jti missing", remove("jti"), false},
		{"iat missing", remove("iat"), false},
		{"RSV-023 exp as a string", set("exp", "9999999999"), false},
		{"RSV-023 exp negative", set("exp", -1), false},
		{"exp null", set("exp", nil), false},
		{"exp beyond every clock", set("exp", 1e300), false},
		{"sub as a number", set("sub", 7), false},
		{"scope as an array", set("scope", []string{"read"}), false},
		{"sid missing", remove("sid"), false},
		{"epoch missing", remove("epoch"), false},
		{"epoch as a string", set("epoch", "1"), false},
		{"user_id missing", remove("user_id"), false},
		{"user_id 0", set("user_id", 0), false},
		{"user_id with a fraction", set("user_id", 1.5), false},
		{"roles missing", remove("roles"), false},
		{"roles null", set("roles", nil), false},
		{"roles as a string", set("roles", "admin"), false},
		{"a null among roles", set("roles", []any{nil}), false},
		{"roles empty", set("roles", []string{}), true},
		{"RSV-043 EXP for exp", func(m map[string]any) { m["EXP"] = m["exp"]; delete(m, "exp") }, false},
		{"RSV-043 Iss for iss", func(m map[string]any) { m["Iss"] = m["iss"]; delete(m, "iss") }, false},
		{"RSV-043 AUD for aud", func(m map[string]any) { m["AUD"] = m["aud"]; delete(m, "aud") }, false},
		{"RSV-043 EXP beside exp", func(m map[string]any) { m["EXP"] = m["exp"] }, false},
		{"RSV-043 role\u017f (long s) beside roles", set("role\u017f", []string{"admin"}), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := object(t, f.User("alice", "user"))
			tc.edit(m)
			err := f.verify(t, f.Sign(f.key, f.key.Header(), marshal(t, m)))
			if tc.good {
				wantGood(t, err)
			} else {
				wantInvalid(t, err)
			}
		})
	}
}

func TestVerifyPayloadText(t *testing.T) {
	f := newFixture(t, "ES256")
	good := string(marshal(t, f.User("alice", "user")))
	for _, tc := range []struct{ name, payload string }{
		{"RSV-023 two exp", strings.Replace(good, `{`, `{"exp":9999999999,`, 1)},
		{"RSV-023 two exp, one escaped", strings.Replace(good, `{`, `{"\u0065xp":9999999999,`, 1)},
		{"RSV-043 a repeated unknown member", strings.Replace(good, `{`, `{"x":1,"x":1,`, 1)},
		{"RSV-043 a member repeated further in", strings.Replace(good, `{`, `{"x":[{"a":1,"a":2}],`, 1)},
		{"RSV-023 not UTF-8", strings.Replace(good, `"alice"`, "\"al\xffice\"", 1)},
		{"RSV-023 exp=1e400", replaceExp(good, "1e400")},
		{"exp with a leading zero", replaceExp(good, "09999999999")},
		{"null", `null`}, {"an array", `[` + good + `]`}, {"a string", `"x"`}, {"nothing", ``},
		{"more after it", good + good}, {"cut short", good[:len(good)-1]},
		{"depth", strings.Repeat(`[`, 9000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantInvalid(t, f.verify(t, f.Sign(f.key, f.key.Header(), []byte(tc.payload))))
		})
	}
}

func replaceExp(payload, exp string) string {
	before, rest, _ := strings.Cut(payload, `"exp":`)
	_, after, _ := strings.Cut(rest, ",")
	return before + `"exp":` + exp + "," + after
}

func TestVerifyTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "ES256")
		token := f.alice("user")
		wantGood(t, f.verify(t, token))
		time.Sleep(1800*time.Second + 29*time.Second) // RSV-009: exp = now - leeway + 1
		wantGood(t, f.verify(t, token))
		time.Sleep(time.Second)
		wantInvalid(t, f.verify(t, token))
		time.Sleep(time.Second) // RSV-009: exp = now - leeway - 1
		wantInvalid(t, f.verify(t, token))
	})
}

// slow is a key source that is away.
type slow struct{ *resourcetest.Issuer }

func (slow) Key(context.Context, string) (resource.Key, error) {
	return resource.Key{}, errors.New("connection refused")
}

func TestVerifyUnavailable(t *testing.T) {
	f := newFixture(t, "ES256")
	ready := resource.NewEnded()
	ready.Ready()
	for _, tc := range []struct {
		name  string
		keys  resource.KeySource
		ended *resource.Ended
	}{
		{"keys are away", slow{f.Issuer}, ready},
		{"RSV-042 no snapshot yet", f, resource.NewEnded()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := resource.NewVerifier(resource.VerifierConfig{
				Issuer: f.URL, Audience: f.Audience, Keys: tc.keys, Ended: tc.ended,
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := v.Verify(t.Context(), f.alice()); !errors.Is(err, resource.ErrUnavailable) {
					t.Errorf("got %v, want ErrUnavailable", err)
				}
			}
		})
	}
}

func TestVerifyLooksAtTheKeyEachTime(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(algorithm, func(t *testing.T) {
			f := newFixture(t, algorithm)
			token := f.alice()
			wantGood(t, f.verify(t, token))
			f.RemoveKey(f.key.ID)
			wantInvalid(t, f.verify(t, token))
			f.AddKey(f.key.ID, algorithm) // another key of the same kid
			wantInvalid(t, f.verify(t, token))
		})
	}
}

func TestVerifyAsksWhatHasEndedEachTime(t *testing.T) {
	f := newFixture(t, "ES256")
	token := f.alice()
	wantGood(t, f.verify(t, token))
	until := time.Now().Add(time.Hour)
	f.ended.Apply(resource.Revocation{Kind: resource.KindSession, ID: "sid-alice", Reason: "logout", Until: until})
	wantInvalid(t, f.verify(t, token))

	f.ended.Apply(resource.Revocation{Kind: resource.KindUser, ID: "sub-alice", Epoch: 2, Reason: "user_disabled", Until: until})
	_, err := f.verifier.Verify(t.Context(), token)
	refused, ok := errors.AsType[*resource.TokenError](err)
	if !ok || refused.Detail != "Inactive user" || refused.Code != "invalid_token" {
		t.Errorf("a disabled user's token: %v", err)
	}
}

func TestNewVerifierNamesWhatIsMissing(t *testing.T) {
	f := newFixture(t, "ES256")
	good := resource.VerifierConfig{Issuer: "i", Audience: "a", Keys: f, Ended: f.ended}
	for name, edit := range map[string]func(*resource.VerifierConfig){
		"Issuer":                func(c *resource.VerifierConfig) { c.Issuer = "" },
		"Audience":              func(c *resource.VerifierConfig) { c.Audience = "" },
		"Keys":                  func(c *resource.VerifierConfig) { c.Keys = nil },
		"Ended":                 func(c *resource.VerifierConfig) { c.Ended = nil },
		"Leeway":                func(c *resource.VerifierConfig) { c.Leeway = -1 },
		"a Leeway from 0 to 1m": func(c *resource.VerifierConfig) { c.Leeway = time.Minute + 1 },
	} {
		c := good
		edit(&c)
		if _, err := resource.NewVerifier(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
