// Package config owns the settings: where they come from, what is right, and
// what is said when they are not. What they are for is left to the packages
// that take their section by value; nothing else reads the environment.
package config

import (
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config is every setting. The tags are its table: the variable, its default,
// and the accepted form for what is not told by the type.
type Config struct {
	HTTP       HTTP
	Identity   Identity
	Storage    Storage
	Keys       Keys
	Tokens     Tokens
	Pages      Pages
	Passwords  Passwords
	Limits     Limits
	Revocation Revocation
	Outbound   Outbound
	Audit      Audit
	Log        Log
	Telemetry  Telemetry

	// Demo says that these are the settings of `serve --demo`.
	Demo bool

	settings []Setting
	hints    []string
}

// HTTP is what the listener and the middleware need.
type HTTP struct {
	Listen         string   `env:"LISTEN" envDefault:"127.0.0.1:8000" form:"host:port, such as 127.0.0.1:8000"`
	TLSCertFile    string   `env:"TLS_CERT_FILE"`
	TLSKeyFile     string   `env:"TLS_KEY_FILE"`
	AllowedHosts   List     `env:"ALLOWED_HOSTS" form:"host names without scheme and port, such as auth.example.com,*.example.com,[::1]"`
	CORSOrigins    List     `env:"CORS_ORIGINS" form:"exact origins as browsers send them, such as https://app.example.com,http://localhost:3000"`
	TrustedProxies Prefixes `env:"TRUSTED_PROXIES" form:"address ranges, such as 10.0.0.0/8,fd00::/8"`
	Docs           bool     `env:"DOCS" envDefault:"true" form:"true or false"`
}

// Identity is who issues tokens, for what, and which roles there are.
type Identity struct {
	Issuer        string `env:"ISSUER" form:"https://host, https://host:port or https://host/path (http:// only for a loopback host): the host in lower case, the path of letters, digits, - . _ ~ between single slashes, and nothing behind it, no slash either"`
	Audience      string `env:"AUDIENCE" form:"an absolute URI without fragment, such as https://api.example.com"`
	RoleHierarchy string `env:"ROLE_HIERARCHY" envDefault:"viewer<user<editor<moderator<admin" form:"role names of a-z, 0-9, _ and -, each once, the least first, such as user<admin"`
}

// Storage is where things are kept.
type Storage struct {
	DatabaseURL Secret `env:"DATABASE_URL" envDefault:"sqlite:data/tokenwright.db" secret:"url" form:"sqlite:PATH or postgres://USER@HOST/DATABASE"`
	// RedisURL is empty if sessions are kept in the database.
	RedisURL    Secret `env:"REDIS_URL" secret:"url" form:"redis://HOST:PORT, rediss://HOST:PORT, redis+sentinel://HOST,HOST/MASTER or redis+cluster://HOST,HOST"`
	AutoMigrate bool   `env:"AUTO_MIGRATE" envDefault:"true" form:"true or false"`
}

// Keys is what signs tokens and seals what is kept.
type Keys struct {
	// SecretKey is empty if it is nowhere yet: see Config.MakeSecretKey.
	SecretKey         Secret  `env:"SECRET_KEY" secret:"text"`
	SecretKeyPrevious Secrets `env:"SECRET_KEY_PREVIOUS" secret:"text"`
	Algorithm         string  `env:"ALGORITHM" envDefault:"ES256" oneof:"ES256 EdDSA RS256 HS256"`
	IDTokenAlgorithm  string  `env:"ID_TOKEN_ALGORITHM" envDefault:"RS256" oneof:"RS256 ES256 EdDSA"`
	KeyRotationDays   int     `env:"KEY_ROTATION_DAYS" envDefault:"90" range:"0 3650"`
}

// Tokens is how long tokens and sessions live.
type Tokens struct {
	AccessTokenExpireMinutes int    `env:"ACCESS_TOKEN_EXPIRE_MINUTES" envDefault:"30" range:"1 10080"`
	RefreshTokenExpireDays   int    `env:"REFRESH_TOKEN_EXPIRE_DAYS" envDefault:"7" range:"1 3650"`
	SessionExpireDays        int    `env:"SESSION_EXPIRE_DAYS" envDefault:"30" range:"1 3650"`
	SessionsPerUser          int    `env:"SESSIONS_PER_USER" envDefault:"100" range:"1 10000"`
	RefreshGraceSeconds      int    `env:"REFRESH_GRACE_SECONDS" envDefault:"10" range:"0 300"`
	Profile                  string `env:"PROFILE" envDefault:"compat" oneof:"compat strict"`
}

// AccessLifetime is how long an access token is good.
func (t Tokens) AccessLifetime() time.Duration {
	return time.Duration(t.AccessTokenExpireMinutes) * time.Minute
}

// IdleLifetime is how long a session lasts without a refresh.
func (t Tokens) IdleLifetime() time.Duration { return days(t.RefreshTokenExpireDays) }

// SessionLifetime is how long a session lasts however often it is refreshed.
func (t Tokens) SessionLifetime() time.Duration { return days(t.SessionExpireDays) }

// RefreshGrace is how long after a rotation the token before may be presented
// again; 0 is strict single use.
func (t Tokens) RefreshGrace() time.Duration {
	return time.Duration(t.RefreshGraceSeconds) * time.Second
}

// Strict says that the password grant and what else RFC 9700 advises against
// is off.
func (t Tokens) Strict() bool { return t.Profile == "strict" }

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// Pages is how long browsers stay logged in, and what the pages show of whoever
// runs the server.
type Pages struct {
	BrowserIdleHours  int    `env:"BROWSER_IDLE_HOURS" envDefault:"12" range:"1 8760"`
	BrowserExpireDays int    `env:"BROWSER_EXPIRE_DAYS" envDefault:"14" range:"1 3650"`
	BrandName         string `env:"BRAND_NAME" envDefault:"Tokenwright" form:"up to 60 characters"`
	BrandLogoFile     string `env:"BRAND_LOGO_FILE"`
	BrandColor        string `env:"BRAND_COLOR" form:"a colour such as #0b6b5e (in quotation marks in .env), dark enough for white text on it"`
}

// IdleLifetime is how long a browser that is not used stays logged in.
func (p Pages) IdleLifetime() time.Duration { return time.Duration(p.BrowserIdleHours) * time.Hour }

// Lifetime is how long a browser stays logged in, from its first login on.
func (p Pages) Lifetime() time.Duration { return days(p.BrowserExpireDays) }

// Passwords is how passwords are hashed and how many at once.
type Passwords struct {
	PasswordHash    string        `env:"PASSWORD_HASH" envDefault:"argon2id" oneof:"argon2id bcrypt"`
	BcryptCost      int           `env:"BCRYPT_COST" envDefault:"12" range:"10 15"`
	HashConcurrency int           `env:"HASH_CONCURRENCY" range:"1 1024"`
	HashQueue       int           `env:"HASH_QUEUE" range:"0 1000000"` // in all
	HashWait        time.Duration `env:"HASH_WAIT" envDefault:"2s" form:"a duration up to 1m, such as 2s"`
}

// Limits is how often something may fail or happen, and who may register.
type Limits struct {
	LoginRate        Rate   `env:"LOGIN_RATE" envDefault:"10/1m" form:"how many in which time, such as 10/1m, or off"`
	LoginRateIP      Rate   `env:"LOGIN_RATE_IP" envDefault:"100/1m" form:"how many in which time, such as 100/1m, or off"`
	ClientRate       Rate   `env:"CLIENT_RATE" envDefault:"20/1m" form:"how many in which time, such as 20/1m, or off"`
	Registration     string `env:"REGISTRATION" envDefault:"open" oneof:"open closed"`
	RegistrationRate Rate   `env:"REGISTRATION_RATE" envDefault:"20/1h" form:"how many in which time, such as 20/1h, or off"`
}

// Revocation is how a resource server follows what has ended.
type Revocation struct {
	RevocationFeed         string        `env:"REVOCATION_FEED" envDefault:"fail_open" oneof:"fail_open fail_closed"`
	RevocationMaxStaleness time.Duration `env:"REVOCATION_MAX_STALENESS" envDefault:"30s" form:"a duration from 10s to 1h, since the feed says something every 5s, such as 30s"`
	ResourceClientID       string        `env:"RESOURCE_CLIENT_ID"`
	ResourceClientSecret   Secret        `env:"RESOURCE_CLIENT_SECRET" secret:"text"`
}

// Outbound is where this server sends something of itself.
type Outbound struct {
	OutboundAllow Prefixes `env:"OUTBOUND_ALLOW" form:"address ranges, such as 10.0.0.0/8,fd00::/8"`
}

// Audit is how long the audit log is kept.
type Audit struct {
	AuditRetentionDays int `env:"AUDIT_RETENTION_DAYS" envDefault:"400" range:"1 36500"`
}

// Rotation is how long a signing key signs; 0 is for ever.
func (k Keys) Rotation() time.Duration { return days(k.KeyRotationDays) }

// Retention is how long an event is kept.
func (a Audit) Retention() time.Duration { return days(a.AuditRetentionDays) }

// Log is how the log is written.
type Log struct {
	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info" form:"debug, info, warn or error"`
	LogFormat string     `env:"LOG_FORMAT" oneof:"text json"`
}

// Telemetry is where the server says how it does. Both are off if they are
// empty.
type Telemetry struct {
	MetricsListen string `env:"METRICS_LISTEN" form:"host:port, such as 127.0.0.1:9464, other than LISTEN"`
	// TracesEndpoint is a collector's, without the path of the signal.
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" form:"an http or https URL without user name and query, such as http://127.0.0.1:4318; what the collector wants to see goes into OTEL_EXPORTER_OTLP_HEADERS"`
}

// Bound puts the address that the listener has got in place of LISTEN, whose
// port may have been 0, and into the ISSUER and AUDIENCE that are derived from it.
// A host that LISTEN has by its name keeps it.
func (c *Config) Bound(address string) {
	derived := c.HTTP.origin(c.Demo)
	host, _, _ := net.SplitHostPort(c.HTTP.Listen)
	_, port, err := net.SplitHostPort(address)
	if _, named := netip.ParseAddr(host); named != nil && host != "" && err == nil {
		address = net.JoinHostPort(host, port)
	}
	c.HTTP.Listen = address
	if c.Identity.Issuer != derived {
		return
	}
	if c.Identity.Audience == derived+audiencePath {
		c.Identity.Audience = c.HTTP.origin(c.Demo) + audiencePath
	}
	c.Identity.Issuer = c.HTTP.origin(c.Demo)
}

// Path is the issuer's, such as "/auth": what every route is below. It is empty
// for an issuer that has none, and never ends with a slash.
func (i Identity) Path() string {
	_, path, _ := parseIssuer(i.Issuer)
	return path
}

// audiencePath is what AUDIENCE has behind ISSUER unless it is set.
const audiencePath = "/api"

// TLS reports whether the listener speaks https itself.
func (h HTTP) TLS() bool { return h.TLSCertFile != "" }

// origin is how a client on this host reaches the listener. The demo's has a
// name: browsers allow no passkey at an address.
func (h HTTP) origin(demo bool) string {
	at := h.Listen
	if host, port, err := net.SplitHostPort(at); err == nil && demo && loopback(host) {
		at = net.JoinHostPort("localhost", port)
	}
	if h.TLS() {
		return "https://" + at
	}
	return "http://" + at
}
