package api

import "net/url"

const (
	// MetadataPath is where a resource server serves its RFC 9728 document, whose
	// issuer has no path.
	MetadataPath = wellKnown + path

	wellKnown = "/.well-known/oauth-protected-resource"
	path      = "/api"
)

// MetadataURL is the address of the document: RFC 9728 §3.1 puts the well-known
// part between the host and the path of the API, which is below issuer's.
func MetadataURL(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil { // nor will it be anybody's issuer
		return issuer + MetadataPath
	}
	return u.Scheme + "://" + u.Host + wellKnown + u.EscapedPath() + path
}

// Metadata is the RFC 9728 document of the API.
type Metadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	// ScopesSupported is left out if empty, as RFC 9728 §3.2 wants it.
	ScopesSupported        []string `json:"scopes_supported,omitempty"`
	BearerMethodsSupported []string `json:"bearer_methods_supported"`
	ResourceName           string   `json:"resource_name"`
}

// NewMetadata describes the API that is identified by audience and takes
// issuer's tokens, from the header only.
func NewMetadata(audience, issuer string, scopes []string) Metadata {
	return Metadata{
		Resource:               audience,
		AuthorizationServers:   []string{issuer},
		ScopesSupported:        scopes,
		BearerMethodsSupported: []string{"header"},
		ResourceName:           "Tokenwright API",
	}
}
