package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// fault adds a line about the setting name, unless it has one.
func (l *loader) fault(name, format string, args ...any) {
	if !slices.Contains(l.wrong, name) {
		l.wrong = append(l.wrong, name)
		l.faults = append(l.faults, fmt.Errorf(format, args...))
	}
}

// want adds a fault with the accepted form unless ok.
func (l *loader) want(name string, ok bool) {
	if !ok {
		i := slices.IndexFunc(l.vars, func(v variable) bool { return v.name == name })
		l.fault(name, "%s: want %s", l.shown(name), l.vars[i].form)
	}
}

// shown is a setting as a fault tells it: NAME="value" (origin).
func (l *loader) shown(name string) string {
	v := l.values[name]
	i := slices.IndexFunc(l.vars, func(v variable) bool { return v.name == name })
	text := redacted
	if l.vars[i].secret == "" {
		text = strconv.Quote(shortened(withoutUserinfo(v.text)))
	}
	if v.origin == "" {
		return name + "=" + text
	}
	return fmt.Sprintf("%s=%s (%s)", name, text, v.origin)
}

// check adds a fault for everything that its type alone does not tell.
func (l *loader) check(c *Config) {
	for _, v := range l.vars {
		text := l.values[v.name].text
		if len(v.oneof) > 0 {
			l.want(v.name, slices.Contains(v.oneof, text))
		}
		if n, err := strconv.Atoi(text); v.max > 0 {
			l.want(v.name, err == nil && v.min <= n && n <= v.max)
		}
	}
	l.checkHTTP(c.HTTP, c.Demo)
	l.checkTelemetry(c)
	l.checkIdentity(c.Identity)
	l.checkSecrets(c)

	if c.Tokens.SessionExpireDays < c.Tokens.RefreshTokenExpireDays && !slices.Contains(l.wrong, "REFRESH_TOKEN_EXPIRE_DAYS") {
		l.fault("SESSION_EXPIRE_DAYS", "%s: want at least REFRESH_TOKEN_EXPIRE_DAYS, which is %d",
			l.shown("SESSION_EXPIRE_DAYS"), c.Tokens.RefreshTokenExpireDays)
	}
	l.want("BRAND_NAME", utf8.RuneCountInString(c.Pages.BrandName) <= 60 && !strings.ContainsFunc(c.Pages.BrandName, unicode.IsControl))
	l.want("BRAND_COLOR", c.Pages.BrandColor == "" || brandColor.MatchString(c.Pages.BrandColor))
	l.want("HASH_WAIT", 0 <= c.Passwords.HashWait && c.Passwords.HashWait <= time.Minute)
	l.want("REVOCATION_MAX_STALENESS", 10*time.Second <= c.Revocation.RevocationMaxStaleness && c.Revocation.RevocationMaxStaleness <= time.Hour)
}

var brandColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func (l *loader) checkHTTP(c HTTP, demo bool) {
	l.want("LISTEN", validListener(c.Listen))
	if demo && !loopbackListener(c.Listen) {
		l.fault("LISTEN", "%s: want a loopback address with --demo, such as 127.0.0.1:8000", l.shown("LISTEN"))
	}
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		l.fault("TLS_CERT_FILE", "TLS_CERT_FILE=%q and TLS_KEY_FILE=%q: want both or neither", c.TLSCertFile, c.TLSKeyFile)
	}
	for _, host := range c.AllowedHosts {
		l.want("ALLOWED_HOSTS", validHost(strings.TrimPrefix(host, "*.")))
	}
	for _, origin := range c.CORSOrigins {
		_, ok := parseOrigin(origin)
		l.want("CORS_ORIGINS", ok)
	}
}

func (l *loader) checkTelemetry(c *Config) {
	if at := c.Telemetry.MetricsListen; at != "" {
		l.want("METRICS_LISTEN", validListener(at) && (at != c.HTTP.Listen || strings.HasSuffix(at, ":0")))
		if c.Demo && !loopbackListener(at) {
			l.fault("METRICS_LISTEN", "%s: want a loopback address with --demo, such as 127.0.0.1:9464", l.shown("METRICS_LISTEN"))
		}
	}
	if endpoint := c.Telemetry.TracesEndpoint; endpoint != "" {
		u, err := url.Parse(endpoint)
		l.want("OTEL_EXPORTER_OTLP_ENDPOINT", err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
			u.User == nil && !strings.ContainsAny(endpoint, "?#"))
	}
}

func (l *loader) checkIdentity(c Identity) {
	if c.Issuer == "" && !slices.Contains(l.wrong, "LISTEN") {
		l.fault("ISSUER", "ISSUER is not set, and %s is not loopback: want the URL that clients reach this server by, such as https://auth.example.com",
			l.shown("LISTEN"))
	}
	if c.Issuer != "" {
		u, _, ok := parseIssuer(c.Issuer)
		l.want("ISSUER", ok && (u.Scheme == "https" || loopback(u.Hostname())))
	}
	if c.Audience != "" {
		u, err := url.Parse(c.Audience)
		l.want("AUDIENCE", err == nil && u.IsAbs() && !strings.ContainsAny(c.Audience, "# \""))
	}
	var seen []string
	for role := range strings.SplitSeq(c.RoleHierarchy, "<") {
		l.want("ROLE_HIERARCHY", roleName.MatchString(role) && !slices.Contains(seen, role))
		seen = append(seen, role)
	}
}

// checkSecrets never shows a value. Whether SECRET_KEY is a good one is for
// package keys to say.
func (l *loader) checkSecrets(c *Config) {
	l.want("DATABASE_URL", startsWith(c.Storage.DatabaseURL.Reveal(), "sqlite:", "postgres://", "postgresql://"))
	if c.Storage.RedisURL.IsSet() {
		// The rest is for package redisstore to say: several hosts are no URL of net/url's.
		l.want("REDIS_URL", startsWith(c.Storage.RedisURL.Reveal(), "redis://", "rediss://", "redis+sentinel://", "redis+cluster://"))
	}
	if !c.Keys.SecretKey.IsSet() && l.shared() {
		l.fault("SECRET_KEY", "SECRET_KEY is not set: every server on one REDIS_URL or postgres:// needs the same; "+
			"want what `openssl rand -base64 48` prints, or SECRET_KEY_FILE=%s if this server has run without them", secretFile)
	}
	if r := c.Revocation; (r.ResourceClientID == "") != !r.ResourceClientSecret.IsSet() {
		l.fault("RESOURCE_CLIENT_ID", "RESOURCE_CLIENT_ID=%q and RESOURCE_CLIENT_SECRET: want both or neither", r.ResourceClientID)
	}
}

// startsWith reports whether s is one of prefixes and something more.
func startsWith(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return len(s) > len(p) && strings.HasPrefix(s, p) })
}

var (
	roleName = regexp.MustCompile(`^[a-z0-9_-]+$`)
	hostName = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
)

func validHost(host string) bool {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && ip.Is6() && ip.Zone() == "" && strings.HasSuffix(inner, "]")
	}
	return hostName.MatchString(strings.ToLower(host))
}

func validListener(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func loopbackListener(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback(host) && validListener(address)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// issuerPath leaves a path one spelling: nothing is percent-encoded, no segment is
// empty or means another, and none begins with a dot, as the well-known one does.
var issuerPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// parseIssuer reads an origin and the path behind it, which may be empty.
func parseIssuer(text string) (origin *url.URL, path string, ok bool) {
	_, rest, _ := strings.Cut(text, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		path = rest[i:]
	}
	origin, ok = parseOrigin(strings.TrimSuffix(text, path))
	return origin, path, ok && issuerPath.MatchString(path)
}

// parseOrigin reads scheme, host and port in the one way of writing them: what
// is compared byte by byte must not have two.
func parseOrigin(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, false
	}
	plain := u.Scheme+"://"+u.Host == text && strings.ToLower(text) == text
	return u, plain && (u.Scheme == "https" || u.Scheme == "http") && validHost(bracketed(u.Hostname())) && !strings.HasSuffix(u.Host, ":")
}
