package resource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Policy says what to answer when the news of what has ended are late.
type Policy string

const (
	// FailOpen goes on with what is known: a token that has ended since may pass.
	FailOpen Policy = "fail_open"
	// FailClosed answers 503 until there are news.
	FailClosed Policy = "fail_closed"
)

// Config says whose tokens are good for this API, and who the API is to their
// issuer.
type Config struct {
	// Issuer is the authorization server, as it calls itself: an https URL, or an
	// http one of this machine.
	Issuer string
	// Audience is the identifier of this API; it has to be among a token's aud.
	Audience string
	// ClientID and ClientSecret are of the confidential client, allowed to
	// introspect, with which this API follows what has ended.
	ClientID, ClientSecret string

	// Leeway is how far the clocks may differ when exp and nbf are looked at;
	// 0 is 30 s, and a minute is the most.
	Leeway time.Duration
	// Feed says what to do when the feed has been silent for longer than
	// MaxStaleness; "" is FailOpen. Before its first word both answer 503.
	Feed Policy
	// MaxStaleness is 30 s if it is 0. The feed says something every 5 s.
	MaxStaleness time.Duration

	// Transport reaches the issuer; nil is one of its own, which asks the
	// environment for a proxy. A private certificate authority goes in here.
	Transport http.RoundTripper
	// Logger hears when the issuer is lost and found; nil is silence.
	Logger *slog.Logger
	Hooks  Hooks
}

// Hooks hear what happens, for metrics. Each may be nil; none may block, and
// they may be called concurrently.
type Hooks struct {
	// Verified hears of each token: what Verify returned, and whether a signature
	// had to be checked for it or the token was remembered.
	Verified func(err error, cached bool)
	// KeysFetched hears of each request for the issuer's keys.
	KeysFetched func(err error)
	// FeedHeard hears of each event of the feed. The age of the news is the time
	// since the last.
	FeedHeard func(at time.Time)
	// FeedChanged hears how it stands with the feed, when that changes.
	FeedChanged func(FeedState)
}

// FeedState says how it stands with the feed.
type FeedState string

// The states of the feed. It begins as FeedLost.
const (
	FeedFollowed FeedState = "followed"
	FeedLost     FeedState = "lost"    // the connection is; MaxStaleness has not passed
	FeedRefused  FeedState = "refused" // by the issuer: the client is wrong or may not introspect
	FeedStale    FeedState = "stale"   // silent for longer than MaxStaleness
)

// New returns a verifier that finds the issuer's keys and what has ended by
// itself, from the issuer's metadata (RFC 8414), until ctx ends. It returns at
// once, and an error for a Config that cannot work: an issuer that is away is no
// error, tokens are then answered with ErrUnavailable. Wait says when that is
// over.
func New(ctx context.Context, c Config) (*Verifier, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	keys := newRemoteKeys(c)
	ended := NewEnded()
	v, err := NewVerifier(VerifierConfig{
		Issuer: c.Issuer, Audience: c.Audience, Keys: keys, Ended: ended,
		Leeway: c.Leeway, Verified: c.Hooks.Verified,
	})
	if err != nil {
		return nil, err
	}
	go follow(ctx, c, keys, ended)
	return v, nil
}

// Wait returns when Verify can tell good tokens from bad: the keys and the first
// news of what has ended are in. It is what to do before a server says that it
// is ready. The error wraps ErrUnavailable: ctx has ended first.
func (v *Verifier) Wait(ctx context.Context) error {
	select {
	case <-v.ended.ready:
		return nil
	default:
	}
	select {
	case <-v.ended.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// Endings says how many entries of what has ended the verifier holds, for
// metrics.
func (v *Verifier) Endings() int { return v.ended.Len() }

// complete fills in what was left out, and reports all that is wrong.
func (c *Config) complete() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if err := endpoint(c.Issuer); err != nil {
		fault("Issuer %w", err)
	}
	if c.Audience == "" {
		fault("Audience is empty; give it the identifier of this API")
	}
	if c.ClientID == "" || c.ClientSecret == "" {
		fault("ClientID or ClientSecret is empty; give it a confidential client that may introspect")
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		fault("Leeway is %v; it must be from 0 to %v, for what has ended is remembered no longer than that", c.Leeway, maxLeeway)
	}
	switch c.Feed {
	case "":
		c.Feed = FailOpen
	case FailOpen, FailClosed:
	default:
		fault("Feed is %q; it must be fail_open or fail_closed", c.Feed)
	}
	switch {
	case c.MaxStaleness == 0:
		c.MaxStaleness = 30 * time.Second
	case c.MaxStaleness < 2*pingInterval:
		fault("MaxStaleness is %v; it must be at least %v, since the feed speaks every %v", c.MaxStaleness, 2*pingInterval, pingInterval)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	if len(faults) > 0 {
		return fmt.Errorf("resource server: %w", errors.Join(faults...))
	}
	return nil
}

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: contactTimeout}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: contactTimeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     time.Minute,
	}
}

// endpoint says why neither keys nor secrets may come from or go to address.
func endpoint(address string) error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("is empty; it must be an https URL")
	case err != nil || u.Host == "":
		return errors.New("is not a URL; it must be an https URL")
	case u.User != nil:
		return errors.New("has a user name in it; take that out")
	case u.Fragment != "":
		return errors.New("has a fragment in it; take that out")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q is not https; only an address of this machine may be http", address)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
