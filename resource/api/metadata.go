package api

// MetadataPath is where a resource server serves its RFC 9728 document.
const MetadataPath = "/.well-known/oauth-protected-resource/api"

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
