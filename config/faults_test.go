package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/config"
)

func TestEachFaultIsNamed(t *testing.T) {
	t.Parallel()
	const rate = "how many in which time"
	for name, tc := range map[string]struct {
		form   string
		values []string
	}{
		"LISTEN": {"host:port", []string{"8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "::1:8000"}},
		"ISSUER": {"https://host", []string{"http://auth.example.com", "https://auth.example.com/",
			"https://auth.example.com/auth/", "https://auth.example.com//auth", "https://auth.example.com/a//b", "https://auth.example.com//",
			"https://auth.example.com/a%2Fb", "https://auth.example.com/%61uth", "https://auth.example.com/a/../b", "https://auth.example.com/.",
			"https://auth.example.com/.well-known", "https://auth.example.com/a b", "https://auth.example.com/:id", "https://auth.example.com/*all",
			"https://auth.example.com/auth?q=1", "https://auth.example.com/auth?", "https://auth.example.com/auth#f", "https://auth.example.com/ä",
			"https://auth.example.com/a;b", "https:///auth", "https://Auth.example.com/auth", "http://auth.example.com/auth",
			"https://auth.example.com?q=1", "https://auth.example.com?", "https://auth.example.com#f", "https://auth.example.com#",
			"https://Auth.example.com", "HTTPS://auth.example.com", "auth.example.com", "https://", "https://auth.example.com:",
			"ftp://auth.example.com", "https://a b", "https://::1", "http://localhost.example.com", "http://127.0.0.1.example.com"}},
		"AUDIENCE":                    {"an absolute URI", []string{"api", "/api", "https://api.example.com#x", "https://a b"}},
		"ALLOWED_HOSTS":               {"host names", []string{"https://auth.example.com", "auth.example.com:443", "*", "a.*.example.com", "::1", "[::1", "[127.0.0.1]", "a..b"}},
		"CORS_ORIGINS":                {"exact origins", []string{"*", "null", "app.example.com", "https://app.example.com/", "https://*.example.com", "https://App.example.com"}},
		"TRUSTED_PROXIES":             {"address ranges", []string{"10.0.0.1", "10.0.0.0/33", "proxy.example.com", "10.0.0.0/8;fd00::/8"}},
		"OUTBOUND_ALLOW":              {"address ranges", []string{"10.0.0.1", "localhost"}},
		"DOCS":                        {"true or false", []string{"yes", "2"}},
		"AUTO_MIGRATE":                {"true or false", []string{"on"}},
		"ROLE_HIERARCHY":              {"role names", []string{"user<", "<user", "user<admin<user", "User<admin", "user < admin", "user>admin", "us er"}},
		"ALGORITHM":                   {"ES256, EdDSA, RS256 or HS256", []string{"es256", "none", "HS512", "ES256,RS256"}},
		"KEY_ROTATION_DAYS":           {"a whole number from 0 to 3650", []string{"-1", "3651", "1.5"}},
		"ACCESS_TOKEN_EXPIRE_MINUTES": {"a whole number from 1 to 10080", []string{"0", "10081", "30m", "-5", "99999999999999999999"}},
		"REFRESH_TOKEN_EXPIRE_DAYS":   {"a whole number from 1 to 3650", []string{"0", "seven", "4000"}},
		"SESSION_EXPIRE_DAYS":         {"", []string{"0", "6", "3651"}},
		"SESSIONS_PER_USER":           {"a whole number from 1 to 10000", []string{"0", "10001"}},
		"REFRESH_GRACE_SECONDS":       {"a whole number from 0 to 300", []string{"-1", "301", "10s"}},
		"PROFILE":                     {"compat or strict", []string{"Strict", "lax"}},
		"PASSWORD_HASH":               {"argon2id or bcrypt", []string{"argon2", "md5"}},
		"BCRYPT_COST":                 {"a whole number from 10 to 15", []string{"4", "16", "31"}},
		"HASH_CONCURRENCY":            {"a whole number from 1 to 1024", []string{"0", "many", "99999999"}},
		"HASH_QUEUE":                  {"a whole number from 0 to 1000000", []string{"-1", "64 per slot"}},
		"HASH_WAIT":                   {"a duration up to 1m", []string{"2", "-1s", "2m"}},
		"LOGIN_RATE":                  {rate, []string{"10", "10/m", "0/1m", "-1/1m", "10/0s", "10/-1m", "no", "/"}},
		"LOGIN_RATE_IP":               {rate, []string{"x"}},
		"CLIENT_RATE":                 {rate, []string{"x"}},
		"REGISTRATION":                {"open or closed", []string{"true"}},
		"REGISTRATION_RATE":           {rate, []string{"x"}},
		"REVOCATION_FEED":             {"fail_open or fail_closed", []string{"open"}},
		"REVOCATION_MAX_STALENESS":    {"a duration from 10s to 1h", []string{"30", "9s", "2h"}},
		"AUDIT_RETENTION_DAYS":        {"a whole number from 1 to 36500", []string{"0"}},
		"LOG_LEVEL":                   {"debug, info, warn or error", []string{"verbose"}},
		"LOG_FORMAT":                  {"text or json", []string{"xml"}},
		"METRICS_LISTEN":              {"host:port", []string{"9464", ":http", "127.0.0.1:8000"}},
		"OTEL_EXPORTER_OTLP_ENDPOINT": {"an http or https URL", []string{"127.0.0.1:4318", "grpc://127.0.0.1:4317", "http://", "https://collector.example.com?key=1"}},
	} {
		for _, value := range tc.values {
			t.Run(name+"="+value, func(t *testing.T) {
				t.Parallel()
				_, err := load(name + "=" + value)
				if err == nil {
					t.Fatal("accepted")
				}
				got := err.Error()
				if !strings.HasPrefix(got, name+"=\""+value+"\" (environment): want "+tc.form) {
					t.Errorf("got %q, want the name, the value and %q", got, tc.form)
				}
				if strings.Contains(got, "\n") {
					t.Errorf("more than one line for one fault: %q", got)
				}
			})
		}
	}
}

func TestGoodValues(t *testing.T) {
	t.Parallel()
	for _, environ := range []string{
		"LISTEN=localhost:0",
		"METRICS_LISTEN=:9464", "METRICS_LISTEN=127.0.0.1:0",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318", "OTEL_EXPORTER_OTLP_ENDPOINT=https://collector.example.com/team",
		"ISSUER=https://auth.example.com", "ISSUER=https://auth.example.com:8443", "ISSUER=http://localhost:8000",
		"ISSUER=https://auth.example.com/auth", "ISSUER=https://id.example.com/realms/Main", "ISSUER=https://[2001:db8::1]:8443/a.b/~c_d-e",
		"ISSUER=http://127.0.0.1:8000/auth", "ISSUER=http://127.0.0.1", "ISSUER=http://[::1]:8000", "ISSUER=https://[2001:db8::1]",
		"AUDIENCE=urn:example:api", "AUDIENCE=https://api.example.com/v1?x=1",
		"ALLOWED_HOSTS=localhost, *.example.com,[::1] ,10.0.0.1",
		"CORS_ORIGINS=http://localhost:3000, https://app.example.com,http://[::1]:3000",
		"TRUSTED_PROXIES=10.1.2.3/8, fd00::/8",
		"DOCS=0", "ROLE_HIERARCHY=only_one-1", "LOGIN_RATE=off", "HASH_WAIT=0s", "HASH_QUEUE=0", "LOG_LEVEL=DEBUG",
		"DATABASE_URL=sqlite:/var/lib/tokenwright/x.db", "SOMETHING_ELSE=1",
	} {
		t.Run(environ, func(t *testing.T) {
			t.Parallel()
			if _, err := load(environ); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFaultsOfMoreThanOneSetting(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		environ []string
		want    []string // one for each line
	}{
		{"all faults are told at once", []string{"LISTEN=x", "ALGORITHM=none", "LOGIN_RATE=x", "DOCS=x", "ISSUER=x"},
			[]string{"LOGIN_RATE", "DOCS", "ALGORITHM", "LISTEN", "ISSUER"}},
		{"an issuer is required off loopback", []string{"LISTEN=0.0.0.0:8000"}, []string{"ISSUER is not set"}},
		{"all interfaces are not loopback", []string{"LISTEN=:8000"}, []string{"ISSUER is not set"}},
		{"a certificate needs its key", []string{"TLS_CERT_FILE=/c.pem"}, []string{`TLS_CERT_FILE="/c.pem" and TLS_KEY_FILE=""`}},
		{"a client needs its secret", []string{"RESOURCE_CLIENT_ID=api"}, []string{"RESOURCE_CLIENT_ID"}},
		{"a session may not be shorter than its idle life", []string{"REFRESH_TOKEN_EXPIRE_DAYS=60"}, []string{"SESSION_EXPIRE_DAYS"}},
		{"JWT-010 SECRET_KEY is required with Redis", []string{"REDIS_URL=redis://cache:6379"}, []string{"SECRET_KEY is not set"}},
		{"JWT-010 SECRET_KEY is required with PostgreSQL", []string{"DATABASE_URL=postgres://db/x"}, []string{"SECRET_KEY is not set"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(tc.environ...)
			if err == nil {
				t.Fatal("accepted")
			}
			if lines := strings.Split(err.Error(), "\n"); len(lines) != len(tc.want) {
				t.Errorf("got %d lines, want %d: %v", len(lines), len(tc.want), err)
			}
			for _, want := range tc.want {
				if !strings.Contains("\n"+err.Error(), "\n"+want) {
					t.Errorf("got %v, want a line that starts with %s", err, want)
				}
			}
		})
	}
}

// TestNoSecretInAFault feeds a secret to every way there is of saying it wrong.
func TestNoSecretInAFault(t *testing.T) {
	t.Parallel()
	for _, environ := range [][]string{
		{"DATABASE_URL=" + marker},
		{"DATABASE_URL=postgres://user:" + marker + "@db/x"},
		{"DATABASE_URL=postgres://db/x?password=" + marker},
		{"REDIS_URL=" + marker},
		{"REDIS_URL=redis://:" + marker + "@/0"},
		{"REDIS_URL=http://:" + marker + "@cache:6379", "SECRET_KEY=" + marker},
		{"REDIS_URL=redis+sentinel://:" + marker + "@h1,h2/main"},
		{"REDIS_URL=redis+cluster://:" + marker + "@h1:1,h2:2,h3:3"},
		{"SECRET_KEY=" + marker, "SECRET_KEY_FILE=/nowhere"},
		{"SECRET_KEY_FILE=" + marker},
		{"SECRET_KEY_FILE=/" + marker + "/x"},
		{"SECRET_KEY_PREVIOUS=" + marker, "SECRET_KEY_PREVIOUS_FILE=" + marker},
		{"RESOURCE_CLIENT_SECRET=" + marker},
		{"REDIS_URL_FILE=redis://:" + marker + "@h"},
		{"ISSUER=https://user:" + marker + "@auth.example.com"},
		{"AUDIENCE=https://user:" + marker + "@api#"},
		{"CORS_ORIGINS=https://user:" + marker + "@app.example.com"},
	} {
		_, err := load(environ...)
		if err == nil {
			t.Errorf("%q: accepted", environ)
		} else if strings.Contains(err.Error(), marker) {
			t.Errorf("%q: %v has the secret", environ, err)
		}
	}
}

// A SECRET_KEY must fit into the list that it goes into when it is changed.
// Whatever is a SECRET_KEY can become a previous one, alone or with others.
func TestASecretKeyCanBecomeAPreviousOne(t *testing.T) {
	t.Parallel()
	const secret = "nZ0vQm6Yq8r2C1bT5sK7wX9eH4jL3uD0"
	for _, key := range []string{secret, secret + ",x", "," + secret, " " + secret, secret + "\t"} {
		for _, list := range []string{"\n" + key, key + "\nanother", "another\r\n" + key} {
			file := filepath.Join(t.TempDir(), "previous")
			if err := os.WriteFile(file, []byte(list+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c := mustLoad(t, config.Sources{Environ: []string{"SECRET_KEY=" + key, "SECRET_KEY_PREVIOUS_FILE=" + file}})
			if got := c.Keys.SecretKeyPrevious.Reveal(); !slices.Contains(got, c.Keys.SecretKey.Reveal()) || len(got) > 2 {
				t.Errorf("%q in %q: got %q", key, list, got)
			}
		}
	}
}

func TestSettingsHaveFieldsOfTheirOwn(t *testing.T) {
	t.Parallel()
	// A fault of decoding is told by the field's name.
	seen := make(map[string]string)
	for name, field := range config.VariablesForTest() {
		if other, ok := seen[field]; ok {
			t.Errorf("%s and %s are both called %s", name, other, field)
		}
		seen[field] = name
	}
}
