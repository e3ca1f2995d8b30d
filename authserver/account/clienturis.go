package account

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
)

// maxURI is how many bytes a URI of a client may have: it stands in the address
// of an authorization request.
const maxURI = 2048

// forbiddenSchemes do something else in a browser than to open an application.
var forbiddenSchemes = []string{
	"http", "https", "javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "ws", "wss", "ftp", "mailto",
}

// uriFaults are what is wrong with where people and messages may be sent.
func (s ClientSpec) uriFaults() []error {
	var all []error
	bad := func(field, format string, args ...any) {
		all = append(all, &InvalidError{field, "value_error", fmt.Sprintf(format, args...)})
	}
	for _, scheme := range s.AllowSchemes {
		u, err := url.Parse(scheme + ":/")
		switch {
		case err != nil || u.Scheme != scheme:
			bad("allow_schemes", "%q is no scheme in small letters, such as cursor", scheme)
		case slices.Contains(forbiddenSchemes, scheme):
			bad("allow_schemes", "%q means something else to browsers: use a scheme of the application's own", scheme)
		}
	}
	if s.MayUse(authserver.GrantAuthorizationCode) && len(s.RedirectURIs) == 0 {
		bad("redirect_uris", "give at least one with the grant %s", authserver.GrantAuthorizationCode)
	}
	for _, uri := range s.RedirectURIs {
		if fault := s.redirectFault(uri); fault != "" {
			bad("redirect_uris", "%q %s", shown(uri), fault)
		}
	}
	for _, uri := range s.PostLogoutRedirectURIs {
		if fault := s.redirectFault(uri); fault != "" {
			bad("post_logout_redirect_uris", "%q %s", shown(uri), fault)
		}
	}
	if uri := s.BackchannelLogoutURI; uri != "" {
		u, fault := parseURI(uri)
		if fault == "" && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			fault = "is not of the scheme https, or http in a network of one's own"
		}
		if fault != "" {
			bad("backchannel_logout_uri", "%q %s", shown(uri), fault)
		}
	}
	return all
}

// redirectFault says what is wrong with a URI that a browser is sent to (RFC 9700
// §4.1, RFC 8252 §7); empty if nothing is.
func (s ClientSpec) redirectFault(uri string) string {
	u, fault := parseURI(uri)
	switch {
	case fault != "":
		return fault
	case u.Scheme == "https":
		if u.Hostname() == "" {
			return "has no host"
		}
		return ""
	case u.Scheme == "http":
		if !slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname()) {
			return "is http to another machine: use https, or a loopback host"
		}
		return ""
	case slices.Contains(forbiddenSchemes, u.Scheme):
		return "has a scheme that means something else to browsers: use https"
	case !s.Public:
		return "has a private-use scheme, which only public clients may have: use https"
	case !strings.Contains(u.Scheme, ".") && !slices.Contains(s.AllowSchemes, u.Scheme):
		return "has a private-use scheme without a dot: use a domain's, such as com.example.app, or name it in allow_schemes"
	}
	return ""
}

// shown is uri without a password that may be in it.
func shown(uri string) string {
	if i := strings.LastIndexByte(uri, '@'); i >= 0 {
		return "…" + uri[i:]
	}
	return uri
}

// parseURI reads what no URI of a client may lack or have.
func parseURI(uri string) (*url.URL, string) {
	if strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }) {
		return nil, "has a character that no URI has: encode it"
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "":
		return nil, "is no absolute URI"
	case len(uri) > maxURI:
		return nil, fmt.Sprintf("is too long: use at most %d bytes", maxURI)
	case strings.Contains(uri, "#"):
		return nil, "has a fragment: leave it out"
	case u.User != nil:
		return nil, "has user information: leave it out"
	case strings.Contains(uri, "*"):
		return nil, "has a wildcard: register each address by itself"
	}
	return u, ""
}
