package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/config"
)

const marker = "marker-3Jx9wQ2mLz7TfKc5RbVn8YdHs1Gp" // a secret that must not show

// load reads NAME=value lines as an environment.
func load(environ ...string) (config.Config, error) {
	return config.Load(config.Sources{Environ: environ})
}

func mustLoad(t *testing.T, s config.Sources) config.Config {
	t.Helper()
	c, err := config.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func setting(t *testing.T, c config.Config, name string) config.Setting {
	t.Helper()
	for _, s := range config.Describe(c) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no setting %s", name)
	return config.Setting{}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, config.Sources{})
	slots := max(1, runtime.GOMAXPROCS(0)-1)
	for _, tc := range []struct {
		name      string
		got, want any
	}{
		{"LISTEN", c.HTTP.Listen, "127.0.0.1:8000"},
		{"ISSUER", c.Identity.Issuer, "http://127.0.0.1:8000"},
		{"AUDIENCE", c.Identity.Audience, "http://127.0.0.1:8000/api"},
		{"DATABASE_URL", c.Storage.DatabaseURL.Reveal(), "sqlite:data/tokenwright.db"},
		{"REDIS_URL", c.Storage.RedisURL.IsSet(), false},
		{"SECRET_KEY", c.Keys.SecretKey.IsSet(), false},
		{"SECRET_KEY_PREVIOUS", len(c.Keys.SecretKeyPrevious), 0},
		{"ALGORITHM", c.Keys.Algorithm, "ES256"},
		{"ACCESS_TOKEN_EXPIRE_MINUTES", c.Tokens.AccessLifetime(), 30 * time.Minute},
		{"REFRESH_TOKEN_EXPIRE_DAYS", c.Tokens.IdleLifetime(), 7 * 24 * time.Hour},
		{"SESSION_EXPIRE_DAYS", c.Tokens.SessionLifetime(), 30 * 24 * time.Hour},
		{"REFRESH_GRACE_SECONDS", c.Tokens.RefreshGrace(), 10 * time.Second},
		{"PROFILE", c.Tokens.Strict(), false},
		{"HASH_CONCURRENCY", c.Passwords.HashConcurrency, slots},
		{"HASH_QUEUE", c.Passwords.HashQueue, 64 * slots},
		{"HASH_WAIT", c.Passwords.HashWait, 2 * time.Second},
		{"LOGIN_RATE", c.Limits.LoginRate, config.Rate{Burst: 10, Per: time.Minute}},
		{"REGISTRATION_RATE", c.Limits.RegistrationRate, config.Rate{Burst: 20, Per: time.Hour}},
		{"ALLOWED_HOSTS", c.HTTP.AllowedHosts, config.List{"localhost", "127.0.0.1", "[::1]"}},
		{"CORS_ORIGINS", len(c.HTTP.CORSOrigins), 0},
		{"LOG_FORMAT", c.Log.LogFormat, "json"},
		{"METRICS_LISTEN", c.Telemetry.MetricsListen, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", c.Telemetry.TracesEndpoint, ""},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestDerivedDefaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, environ, setting, want string
	}{
		{"the audience follows the issuer", "ISSUER=https://auth.example.com", "AUDIENCE", "https://auth.example.com/api"},
		{"the audience follows the issuer's path", "ISSUER=https://example.com/auth", "AUDIENCE", "https://example.com/auth/api"},
		{"the host of an issuer with a path is allowed", "ISSUER=https://example.com/auth", "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],example.com"},
		{"the issuer's host is allowed", "ISSUER=https://auth.example.com:8443", "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],auth.example.com"},
		{"the issuer follows a listener on loopback", "LISTEN=[::1]:9000", "ISSUER", "http://[::1]:9000"},
		{"the queue follows the slots", "HASH_CONCURRENCY=3", "HASH_QUEUE", "192"},
		{"an empty value is as none", "ALGORITHM=", "ALGORITHM", "ES256"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := mustLoad(t, config.Sources{Environ: []string{tc.environ}})
			if got := setting(t, c, tc.setting); got.Value != tc.want || got.Origin != "default" {
				t.Errorf("got %+v, want %q", got, tc.want)
			}
		})
	}
	t.Run("the log is text on a terminal", func(t *testing.T) {
		t.Parallel()
		if got := mustLoad(t, config.Sources{Terminal: true}).Log.LogFormat; got != "text" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a listener with TLS of its own makes the issuer https", func(t *testing.T) {
		t.Parallel()
		c := mustLoad(t, config.Sources{Environ: []string{"TLS_CERT_FILE=c.pem", "TLS_KEY_FILE=k.pem"}})
		if c.Identity.Issuer != "https://127.0.0.1:8000" {
			t.Errorf("got %q", c.Identity.Issuer)
		}
	})
}

func TestThePortThatTheListenerGot(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                   string
		environ                []string
		listen, issuer, forAPI string
	}{
		{"goes into the issuer and the audience", []string{"LISTEN=127.0.0.1:0"},
			"127.0.0.1:40001", "http://127.0.0.1:40001", "http://127.0.0.1:40001/api"},
		{"leaves an issuer that is set", []string{"LISTEN=127.0.0.1:0", "ISSUER=https://auth.example.com"},
			"127.0.0.1:40001", "https://auth.example.com", "https://auth.example.com/api"},
		{"keeps a host's name", []string{"LISTEN=localhost:0"},
			"localhost:40001", "http://localhost:40001", "http://localhost:40001/api"},
		{"leaves an audience that is set", []string{"LISTEN=127.0.0.1:0", "AUDIENCE=urn:example:api"},
			"127.0.0.1:40001", "http://127.0.0.1:40001", "urn:example:api"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := mustLoad(t, config.Sources{Environ: tc.environ})
			c.Bound("127.0.0.1:40001")
			got := []string{c.HTTP.Listen, c.Identity.Issuer, c.Identity.Audience}
			if diff := cmp.Diff([]string{tc.listen, tc.issuer, tc.forAPI}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	dotenv := write(t, ".env", "LISTEN=127.0.0.1:1\nALGORITHM=EdDSA\nPROFILE=strict\n")
	c := mustLoad(t, config.Sources{
		Flags:   map[string]string{"LISTEN": "127.0.0.1:3"},
		Environ: []string{"LISTEN=127.0.0.1:2", "ALGORITHM=RS256"},
		DotEnv:  dotenv,
	})
	for _, want := range []config.Setting{
		{Name: "LISTEN", Value: "127.0.0.1:3", Origin: "flag"},
		{Name: "ALGORITHM", Value: "RS256", Origin: "environment"},
		{Name: "PROFILE", Value: "strict", Origin: ".env"},
		{Name: "DOCS", Value: "true", Origin: "default"},
	} {
		if diff := cmp.Diff(want, setting(t, c, want.Name)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheTutorialsFile(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"9f2c7be1d04a88356e1fb0c2d97745aa3c6e8891f2d7b6405c1e0a9d8b7c6f53", // openssl rand -hex 32
		"R2VoZWltIGJsZWlidCBnZWhlaW0uLi4hIQ+/AAAABBBBCCC=",
		`pa$$word$HOME${HOME}with#and\n-and-32-bytes`,
	} {
		path := write(t, ".env", "# JWT\r\nSECRET_KEY="+secret+"\r\nALGORITHM=HS256\r\n\r\nexport ACCESS_TOKEN_EXPIRE_MINUTES=15 # short\nREFRESH_TOKEN_EXPIRE_DAYS=\"14\"")
		c := mustLoad(t, config.Sources{DotEnv: path})
		if got := c.Keys.SecretKey.Reveal(); got != secret {
			t.Errorf("SECRET_KEY is %q, want the bytes as written, %q", got, secret)
		}
		if c.Keys.Algorithm != "HS256" || c.Tokens.AccessTokenExpireMinutes != 15 || c.Tokens.RefreshTokenExpireDays != 14 {
			t.Errorf("got %+v %+v", c.Keys, c.Tokens)
		}
	}
}

func TestDotEnvFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		lines      []int
	}{
		{"a line without =", "DOCS=true\nSECRET_KEY " + marker, []int{2}},
		{"an open quote", "SECRET_KEY='" + marker, []int{1}},
		{"a name with a blank", "SECRET KEY=" + marker, []int{1}},
		{"text behind a quote", `SECRET_KEY="a" ` + marker, []int{1}},
		{"bytes that are not UTF-8", "SECRET_KEY=" + marker + "\xff", []int{1}},
		{"every line is named", "ok=1\n-\n" + marker + "\nok=2\n=" + marker, []int{2, 3, 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, ".env", tc.text)
			_, err := config.Load(config.Sources{DotEnv: path})
			if err == nil {
				t.Fatal("accepted")
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(tc.lines) {
				t.Fatalf("got %q, want lines %v", got, tc.lines)
			}
			for i, n := range tc.lines {
				if !strings.HasPrefix(got[i], fmt.Sprintf("%s line %d: want NAME=value", path, n)) {
					t.Errorf("got %q, want line %d", got[i], n)
				}
			}
			if strings.Contains(err.Error(), marker) {
				t.Errorf("%v has the secret", err)
			}
		})
	}
	t.Run("one that cannot be read is named", func(t *testing.T) {
		t.Parallel()
		path := t.TempDir() // a directory
		_, err := config.Load(config.Sources{DotEnv: path})
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("one that is not there is no fault", func(t *testing.T) {
		t.Parallel()
		mustLoad(t, config.Sources{DotEnv: filepath.Join(t.TempDir(), ".env")})
	})
}

func TestDemo(t *testing.T) {
	t.Parallel()
	t.Run("has a database of its own and no Redis", func(t *testing.T) {
		t.Parallel()
		c := mustLoad(t, config.Sources{Demo: true, Environ: []string{
			"DATABASE_URL=postgres://u:p@db/prod", "REDIS_URL=redis://cache:6379", "DATABASE_URL_FILE=/nowhere",
		}})
		if c.Storage.DatabaseURL.Reveal() != "sqlite:data/demo.db" || c.Storage.RedisURL.IsSet() || !c.Demo {
			t.Errorf("database %q, Redis %q", c.Storage.DatabaseURL.Reveal(), c.Storage.RedisURL.Reveal())
		}
		if diff := cmp.Diff(config.List{"http://localhost:3000"}, c.HTTP.CORSOrigins); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("has an issuer with a name", func(t *testing.T) {
		t.Parallel()
		c := mustLoad(t, config.Sources{Demo: true})
		if c.Identity.Issuer != "http://localhost:8000" || c.Identity.Audience != "http://localhost:8000/api" {
			t.Errorf("issuer %q, audience %q", c.Identity.Issuer, c.Identity.Audience)
		}
		c = mustLoad(t, config.Sources{Demo: true, Environ: []string{"LISTEN=[::1]:0"}})
		c.Bound("[::1]:51234")
		if c.Identity.Issuer != "http://localhost:51234" {
			t.Errorf("bound: issuer %q", c.Identity.Issuer)
		}
	})
	t.Run("keeps origins that are set", func(t *testing.T) {
		t.Parallel()
		c := mustLoad(t, config.Sources{Demo: true, Environ: []string{"CORS_ORIGINS=https://app.example.com"}})
		if diff := cmp.Diff(config.List{"https://app.example.com"}, c.HTTP.CORSOrigins); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("listens on loopback only", func(t *testing.T) {
		t.Parallel()
		_, err := config.Load(config.Sources{Demo: true, Environ: []string{"LISTEN=0.0.0.0:8000"}})
		if err == nil || !strings.Contains(err.Error(), `LISTEN="0.0.0.0:8000" (environment): want a loopback address with --demo`) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v", err)
		}
		_, err = config.Load(config.Sources{Demo: true, Environ: []string{"METRICS_LISTEN=:9464"}})
		if err == nil || !strings.Contains(err.Error(), `METRICS_LISTEN=":9464" (environment): want a loopback address with --demo`) {
			t.Errorf("got %v", err)
		}
	})
}

// TestExample holds config.env.example to the struct: every setting in its
// order with its default, and nothing else.
func TestExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("config.env.example")
	if err != nil {
		t.Fatal(err)
	}
	var example []string
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		example = append(example, m[1]+"="+m[2])
	}
	if diff := cmp.Diff(config.DefaultsForTest(), example); diff != "" {
		t.Error(diff)
	}
	uncommented := write(t, ".env", regexp.MustCompile(`(?m)^#([A-Z])`).ReplaceAllString(string(text), "$1"))
	mustLoad(t, config.Sources{DotEnv: uncommented})
}
