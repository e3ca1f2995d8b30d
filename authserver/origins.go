package authserver

import (
	"net/url"
	"strings"
)

// Origins are those that c's pages have, as browsers send them: of a public
// client's https and loopback redirect URIs, and none of a confidential one's,
// which has no pages that hold tokens.
func (c Client) Origins() []string {
	if !c.Public {
		return nil
	}
	var all []string
	for _, uri := range c.RedirectURIs {
		u, err := url.Parse(uri)
		if err != nil || u.Host == "" {
			continue
		}
		port := ""
		switch u.Scheme {
		case "https":
			port = ":443"
		case "http": // of a loopback host; no other is registered
			port = ":80"
		default: // a private-use scheme opens an application, which is no page
			continue
		}
		// WHATWG URL §4.1: small letters, and no port that goes without saying.
		all = append(all, u.Scheme+"://"+strings.TrimSuffix(strings.ToLower(u.Host), port))
	}
	return all
}
