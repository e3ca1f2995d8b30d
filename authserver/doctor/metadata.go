package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// metadata is what the issuer says about itself (RFC 8414).
type metadata struct {
	// document is nil if there is no metadata.
	document                              map[string]any
	answer                                answer
	token, introspect, revoke, jwks, feed string
	authorize, push, logout, userinfo     string
	grants, modes                         []string
	// named says that answers of the authorization endpoint name the issuer.
	named bool
}

// discover reads the metadata, or the document of OpenID Connect Discovery if
// there is only that.
func (s *subject) discover(ctx context.Context) error {
	u, err := url.Parse(s.Issuer)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("the issuer %q is no URL: give one such as https://auth.example.com", s.Issuer)
	}
	path := strings.TrimSuffix(u.Path, "/")
	origin := u.Scheme + "://" + u.Host
	m := &s.metadata
	for _, target := range []string{
		origin + "/.well-known/oauth-authorization-server" + path, // RFC 8414 §3.1
		origin + path + "/.well-known/openid-configuration",
	} {
		a := s.get(ctx, target, nil)
		if a.err != nil {
			return fmt.Errorf("%w: see whether the issuer runs and %s is its address", a.err, s.Issuer)
		}
		if m.answer.method == "" || a.status == 200 {
			m.answer = a
		}
		if a.status == 200 && a.object() != nil {
			m.document = a.object()
			break
		}
	}
	for member, to := range map[string]*string{
		"token_endpoint": &m.token, "introspection_endpoint": &m.introspect, "revocation_endpoint": &m.revoke,
		"jwks_uri": &m.jwks, "revocation_feed_endpoint": &m.feed,
		"authorization_endpoint": &m.authorize, "pushed_authorization_request_endpoint": &m.push, "end_session_endpoint": &m.logout,
		"userinfo_endpoint": &m.userinfo,
	} {
		*to, _ = m.document[member].(string)
	}
	m.grants = texts(m.document["grant_types_supported"])
	m.modes = texts(m.document["response_modes_supported"])
	m.named = m.document["authorization_response_iss_parameter_supported"] == true
	return nil
}

// texts are the strings of a JSON array.
func texts(value any) []string {
	list, _ := value.([]any)
	var all []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

func metadataChecks() []check {
	return []check{
		{"MET-001", "RFC8414 §3", "MUST", "the metadata is a JSON object", nil, func(ctx context.Context, s *subject) error {
			a := s.metadata.answer
			if !strings.Contains(a.url, "/.well-known/oauth-authorization-server") {
				return fmt.Errorf("only /.well-known/openid-configuration is there, want /.well-known/oauth-authorization-server")
			}
			return first(a.is("200"), a.isJSON())
		}},
		{"MET-002", "RFC8414 §3.3", "MUST", "the metadata names the very issuer", nil, func(ctx context.Context, s *subject) error {
			if got := s.metadata.document["issuer"]; got != s.Issuer {
				return fmt.Errorf("issuer is %q, want %q", got, s.Issuer)
			}
			u, err := url.Parse(s.Issuer)
			if err != nil || u.RawQuery != "" || u.Fragment != "" {
				return fmt.Errorf("issuer %q has a query or a fragment", s.Issuer)
			}
			if u.Scheme != "https" && !loopback(u.Hostname()) {
				return fmt.Errorf("issuer %q is not https", s.Issuer)
			}
			return nil
		}},
		{"MET-004", "RFC8414 §2", "MUST", "the required members are there", nil, func(ctx context.Context, s *subject) error {
			for _, member := range []string{"issuer", "response_types_supported", "token_endpoint"} {
				if s.metadata.document[member] == nil {
					return fmt.Errorf("%s is missing", member)
				}
			}
			return nil
		}},
		{"MET-005", "RFC8414 §2", "MUST", "the grants are named", nil, func(ctx context.Context, s *subject) error {
			if len(s.metadata.grants) == 0 {
				return fmt.Errorf("grant_types_supported is missing, which means authorization_code and implicit")
			}
			return nil
		}},
		{"MET-006", "RFC8414 §3.2", "MUST", "no member is empty or null", nil, func(ctx context.Context, s *subject) error {
			return full(s.metadata.document)
		}},
		{"MET-007", "RFC8414 §2", "MUST", "signed client authentication names its algorithms, and none is not one", nil, signedClients},
		{"MET-008", "RFC9700 §2.1.1; MCP 2026-07-28", "MUST", "PKCE is S256 alone", nil, func(ctx context.Context, s *subject) error {
			if s.metadata.document["authorization_endpoint"] == nil {
				return &unmet{"the issuer has no authorization endpoint"}
			}
			got := texts(s.metadata.document["code_challenge_methods_supported"])
			if !slices.Equal(got, []string{"S256"}) {
				return fmt.Errorf("code_challenge_methods_supported is %q, want S256 alone", got)
			}
			return nil
		}},
		{"MET-009", "RFC8414 §2", "SHOULD", "each advertised endpoint answers an empty POST", nil, func(ctx context.Context, s *subject) error {
			for _, member := range slices.Sorted(maps.Keys(s.metadata.document)) {
				target, _ := s.metadata.document[member].(string)
				switch member {
				case "authorization_endpoint", "userinfo_endpoint", "end_session_endpoint", "revocation_feed_endpoint":
					continue // asked with GET
				}
				if target == "" || !strings.HasSuffix(member, "_endpoint") {
					continue
				}
				a := s.post(ctx, target, nil)
				if err := first(a.is("400", "401"), a.isJSON()); err != nil {
					return fmt.Errorf("%s: %w", member, err)
				}
			}
			return nil
		}},
	}
}

func signedClients(ctx context.Context, s *subject) error {
	for member, value := range s.metadata.document {
		prefix, ok := strings.CutSuffix(member, "_auth_methods_supported")
		if !ok {
			continue
		}
		methods := texts(value)
		algorithms := texts(s.metadata.document[prefix+"_auth_signing_alg_values_supported"])
		signed := slices.Contains(methods, "private_key_jwt") || slices.Contains(methods, "client_secret_jwt")
		if signed && len(algorithms) == 0 {
			return fmt.Errorf("%s has a method that signs, and %s_auth_signing_alg_values_supported is missing", member, prefix)
		}
		if slices.Contains(algorithms, "none") {
			return fmt.Errorf("%s_auth_signing_alg_values_supported has none", prefix)
		}
	}
	return nil
}

// full wants each member of a document to say something.
func full(document map[string]any) error {
	for _, member := range slices.Sorted(maps.Keys(document)) {
		list, isList := document[member].([]any)
		if document[member] == nil || isList && len(list) == 0 {
			return fmt.Errorf("%s is empty: leave it out", member)
		}
	}
	return nil
}
