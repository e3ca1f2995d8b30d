package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// contactTimeout bounds a request for a document, and how long the feed may
	// take to begin.
	contactTimeout = 5 * time.Second
	// maxDocument bounds metadata and JWKS, in bytes.
	maxDocument = 1 << 20
)

// metadata is what a resource server needs of RFC 8414's document.
type metadata struct{ jwksURI, feed string }

// discover asks an issuer where its keys and its feed are.
func discover(ctx context.Context, client *http.Client, issuer string) (metadata, error) {
	addresses, err := wellKnown(issuer)
	if err != nil {
		return metadata{}, err
	}
	var faults []error
	for _, address := range addresses {
		found, err := discoverAt(ctx, client, issuer, address)
		if err == nil {
			return found, nil
		}
		faults = append(faults, err)
	}
	return metadata{}, errors.Join(faults...)
}

func discoverAt(ctx context.Context, client *http.Client, issuer, address string) (metadata, error) {
	body, _, err := fetch(ctx, client, address)
	if err != nil {
		return metadata{}, err
	}
	const issuerName, keysName, feedName = "issuer", "jwks_uri", "revocation_feed_endpoint"
	m, err := members(body, []string{issuerName, keysName, feedName})
	if err != nil {
		return metadata{}, fmt.Errorf("%s: %w", address, err)
	}
	member := func(name string) string {
		raw, ok := m[name]
		if !ok {
			return ""
		}
		s, _ := text(raw)
		return s
	}
	// RFC 8414 §3.3: or one issuer could speak for another.
	if got := member(issuerName); got != issuer {
		return metadata{}, fmt.Errorf("%s says that its issuer is %.200q; the Issuer set here must be the same to the byte", address, got)
	}
	found := metadata{jwksURI: member(keysName), feed: member(feedName)}
	if err := endpoint(found.jwksURI); err != nil {
		return metadata{}, fmt.Errorf("%s: %s %w", address, keysName, err)
	}
	if err := endpoint(found.feed); err != nil {
		return metadata{}, fmt.Errorf("%s: %s %w", address, feedName, err)
	}
	return found, nil
}

// wellKnown are the addresses where the document may be: with the well-known part
// between the host and the path (RFC 8414 §3.1) and, where a proxy hands on
// nothing but the path, behind it (as OpenID Connect Discovery §4 has it).
func wellKnown(issuer string) ([]string, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("parse issuer: %w", err)
	}
	const part = "/.well-known/oauth-authorization-server"
	origin, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	if path == "" {
		return []string{origin + part}, nil
	}
	return []string{origin + part + path, origin + path + part}, nil
}

// newClient follows no redirect: an issuer's documents are where it says.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetch gets a document of at most maxDocument within contactTimeout.
func fetch(ctx context.Context, client *http.Client, address string) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, contactTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, err // names the address
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answers %d", address, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err == nil && len(body) > maxDocument {
		err = errors.New("document is over 1 MiB")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", address, err)
	}
	return body, res.Header, nil
}
