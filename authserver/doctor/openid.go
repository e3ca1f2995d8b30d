package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// openidChecks are about what relying parties hear of people.
func openidChecks() []check {
	openid := []need{redirect, relying}
	return []check{
		{"OID-001", "OIDC Core §2, §3.1.3.7", "MUST", "an ID token says who has logged in where, by a key that is published", openid, func(ctx context.Context, s *subject) error {
			id, err := s.identifyKnown(ctx)
			if err != nil {
				return err
			}
			if nonce := text(id.claims, "nonce"); nonce != "doctor-nonce" {
				return fmt.Errorf("nonce is %q, want what was sent", nonce)
			}
			if err := first(id.named(s), s.signed(ctx, id.token)); err != nil || s.Fixtures.API.URL == "" {
				return err
			}
			return s.refused(ctx, map[string]string{"an ID token at the API": id.token})
		}},
		{"OID-002", "OIDC Core §12.2", "MUST", "a refresh tells of the same login", openid, func(ctx context.Context, s *subject) error {
			before, err := s.identifyKnown(ctx)
			if err != nil {
				return err
			}
			if before.refresh == "" {
				return &unmet{"the client gets no refresh token"}
			}
			if err := wait(ctx, time.Second); err != nil {
				return err
			}
			after, err := s.identityOf(s.refresh(ctx, s.rp, before.refresh))
			if err != nil {
				return err
			}
			for _, name := range []string{"iss", "sub", "aud", "auth_time"} {
				if !reflect.DeepEqual(before.claims[name], after.claims[name]) {
					return fmt.Errorf("%s is %v, and was %v", name, after.claims[name], before.claims[name])
				}
			}
			if after.claims["nonce"] != nil || after.claims["iat"] == before.claims["iat"] {
				return fmt.Errorf("the nonce or the iat of before")
			}
			return nil
		}},
		{"OID-003", "OIDC Core §5.3", "MUST", "userinfo tells what the scopes ask for, to a token that lives", openid, userInfo},
		{"OID-004", "OIDC Discovery §3", "MUST", "discovery has what relying parties need, and says what RFC 8414's document says", nil, discovered},
		{"OID-005", "OIDC Core §5.5", "SHOULD", "claims are told where they are asked for by name", openid, func(ctx context.Context, s *subject) error {
			if s.metadata.document["claims_parameter_supported"] != true {
				return &unmet{"the issuer does not offer the parameter claims"}
			}
			if err := s.newBrowser().open(ctx, s.ask(s.rp, "scope", "openid", "claims", `{"userinfo":[`)).refused("invalid_request"); err != nil {
				return err
			}
			id, err := s.identifyKnown(ctx, "claims", `{"id_token":{"auth_time":{"essential":true}},"userinfo":{"email":null}}`)
			if err != nil {
				return err
			}
			a := s.about(ctx, id.access)
			if id.claims["auth_time"] == nil || id.claims["email"] != nil {
				return fmt.Errorf("the ID token has not auth_time, or has email")
			}
			return a.only([]string{"sub", "email"})
		}},
		{"OID-006", "OIDC Core §3.1.2.1", "SHOULD", "hints are taken, and somebody else's is no login", openid, hinted},
		{"OID-007", "OIDC Core §6", "MUST", "a request object that is not supported is refused by redirect", openid, func(ctx context.Context, s *subject) error {
			for name, value := range map[string]string{"request": "eyJhbGciOiJub25lIn0.e30.", "request_uri": "https://app.example/request"} {
				if s.metadata.document[name+"_parameter_supported"] == true {
					continue
				}
				l := s.newBrowser().open(ctx, s.ask(s.rp, "scope", "openid", name, value))
				if err := l.refused(name + "_not_supported"); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		}},
		{"OID-010", "contract 12", "MUST", "a password grant with the scope openid brings an ID token", []need{login, relying, passwordWeb}, func(ctx context.Context, s *subject) error {
			id, err := s.identityOf(s.token(ctx, s.rp, s.password("scope", "openid")...))
			if err != nil {
				return err
			}
			s.opened(s.rp, id.answer)
			if amr := texts(id.claims["amr"]); !slices.Contains(amr, "pwd") || id.claims["nonce"] != nil {
				return fmt.Errorf("amr is %q, nonce %v", amr, id.claims["nonce"])
			}
			return id.named(s)
		}},
		{"OID-011", "OIDC Core §3.1.3.6", "MUST", "at_hash is of the access token, by the algorithm's hash", openid, func(ctx context.Context, s *subject) error {
			id, err := s.identifyKnown(ctx)
			if err != nil {
				return err
			}
			return first(id.hashed(), &noted{"seen for " + text(decode(id.token, 0), "alg")})
		}},
		{"OID-012", "RFC8414 §5; OIDC Discovery §4", "MUST", "an issuer with a path is found wherever clients look", nil, func(ctx context.Context, s *subject) error {
			u, err := url.Parse(s.Issuer)
			if err != nil || u.Path == "" {
				return &unmet{"the issuer has no path"}
			}
			places := []string{s.Issuer + "/.well-known/openid-configuration"}
			for _, document := range []string{"oauth-authorization-server", "openid-configuration"} {
				places = append(places, u.Scheme+"://"+u.Host+"/.well-known/"+document+u.Path)
			}
			for _, place := range places {
				a := s.get(ctx, place, nil)
				if err := first(a.is("200"), a.isJSON()); err != nil {
					return err
				}
				if iss := a.text("issuer"); iss != s.Issuer {
					return a.wrong("issuer is %q, want %q", iss, s.Issuer)
				}
			}
			return nil
		}},
		{"OID-014", "contract 12", "SHOULD", "the scope groups brings the roles under that name", openid, func(ctx context.Context, s *subject) error {
			if !slices.Contains(s.rp.Scopes, "groups") {
				return &unmet{"the client does not have the scope groups"}
			}
			id, err := s.identifyKnown(ctx, "scope", "openid groups")
			if err != nil {
				return err
			}
			a := s.about(ctx, id.access)
			if !reflect.DeepEqual(a.object()["groups"], id.claims["groups"]) {
				return a.wrong("groups is %v, and %v in the ID token", a.object()["groups"], id.claims["groups"])
			}
			return a.only([]string{"sub", "groups"})
		}},
	}
}

func userInfo(ctx context.Context, s *subject) error {
	plain, err := s.identifyKnown(ctx)
	if err != nil {
		return err
	}
	a := s.about(ctx, plain.access)
	if a.text("sub") != plain.claims["sub"] {
		return a.wrong("sub is %q, want the ID token's", a.text("sub"))
	}
	byPost := s.post(ctx, s.metadata.userinfo, bearer(plain.access))
	if err := first(a.only([]string{"sub"}), byPost.only([]string{"sub"})); err != nil {
		return err
	}
	for scope, claims := range map[string][]string{
		"profile": {"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "updated_at"},
		"email": {"email", "email_verified"},
	} {
		if !slices.Contains(s.rp.Scopes, scope) {
			continue
		}
		id, err := s.identifyKnown(ctx, "scope", "openid "+scope)
		if err := first(err, s.about(ctx, id.access).only([]string{"sub"}, claims...)); err != nil {
			return fmt.Errorf("%s: %w", scope, err)
		}
	}
	for name, token := range map[string]string{"an ID token": plain.token, "a token of nobody's": "x"} {
		if err := s.about(ctx, token).is("401"); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if s.lacks(login) == "" {
		l, err := s.login(ctx, s.app)
		if err != nil {
			return err
		}
		if !slices.Contains(strings.Fields(l.scope), "openid") {
			a := s.about(ctx, l.access)
			if err := first(a.is("403"), a.has("WWW-Authenticate", `error="insufficient_scope"`)); err != nil {
				return fmt.Errorf("without openid: %w", err)
			}
		}
	}
	if s.metadata.revoke == "" || plain.refresh == "" {
		return nil
	}
	return first(s.revoke(ctx, s.rp, plain.refresh).is("200"), s.gone(ctx, plain.access))
}

func discovered(ctx context.Context, s *subject) error {
	if s.lacks(openidIssuer) != "" {
		return &unmet{s.lacks(openidIssuer)}
	}
	a := s.get(ctx, s.Issuer+"/.well-known/openid-configuration", nil)
	if err := first(a.is("200"), a.isJSON()); err != nil {
		return err
	}
	d := a.object()
	if d["issuer"] != s.Issuer {
		return a.wrong("issuer is %q, want %q", d["issuer"], s.Issuer)
	}
	for member, value := range map[string]string{
		"id_token_signing_alg_values_supported": "RS256", "scopes_supported": "openid", "response_types_supported": "code",
		"subject_types_supported": "", "claims_supported": "sub",
	} {
		list := texts(d[member])
		if len(list) == 0 || value != "" && !slices.Contains(list, value) {
			return a.wrong("%s is %q, want %q in it", member, list, value)
		}
	}
	for member, value := range s.metadata.document {
		if other, ok := d[member]; ok && !reflect.DeepEqual(value, other) {
			return a.wrong("%s is %v, and %v in RFC 8414's document", member, other, value)
		}
	}
	for member, value := range d {
		address, _ := value.(string)
		if !strings.HasSuffix(member, "_endpoint") && member != "jwks_uri" {
			continue
		}
		if a := s.get(ctx, address, nil); a.err != nil || a.status == http.StatusNotFound || a.status >= 500 {
			return fmt.Errorf("%s: %w", member, first(a.err, a.wrong("got %d", a.status)))
		}
	}
	return nil
}

func hinted(ctx context.Context, s *subject) error {
	b, p := s.newBrowser(), s.Fixtures.Pages
	l := b.open(ctx, s.ask(s.rp, "scope", "openid", "login_hint", s.user.Username, "ui_locales", "de en", "display", "popup", "acr_values", "aal1 aal2"))
	if err := b.wantsLogin(l); err != nil {
		return err
	}
	filled := slices.ContainsFunc(l.forms(), func(f htmlForm) bool {
		field := f.field(p.Username)
		return field != nil && attribute(field, "value") == s.user.Username
	})
	if !filled {
		return l.wrong("login_hint does not stand in the field %q", p.Username)
	}
	mine, err := s.identify(ctx, b)
	if err != nil {
		return err
	}
	ask := s.ask(s.rp, "scope", "openid", "prompt", "none", "id_token_hint", mine.token)
	if err := b.open(ctx, ask).granted(); err != nil {
		return fmt.Errorf("one's own id_token_hint: %w", err)
	}
	if s.other == nil {
		return &noted{"a hint of another user was not tried: the fixtures have no second one"}
	}
	stranger := s.newBrowser()
	l = stranger.logIn(ctx, stranger.open(ctx, s.ask(s.rp, "scope", "openid")), s.other.Username, s.other.Password)
	if l = stranger.through(ctx, l); l.granted() != nil {
		return l.granted()
	}
	if err := stranger.open(ctx, ask).refused("login_required"); err != nil {
		return fmt.Errorf("another user's id_token_hint: %w", err)
	}
	return nil
}
