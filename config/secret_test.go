package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/tokenwright/tokenwright/config"
)

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	secret := config.NewSecret(marker)
	hidden := struct{ s config.Secret }{secret} // fmt calls no method on it
	c, err := load("SECRET_KEY="+marker, "SECRET_KEY_PREVIOUS="+marker+"1,"+marker+"2",
		"REDIS_URL=redis://user:"+marker+"@cache:6379/0?password="+marker,
		"RESOURCE_CLIENT_ID=api", "RESOURCE_CLIENT_SECRET="+marker)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, v := range []any{secret, &secret, hidden, c, &c, c.Keys, c.Keys.SecretKeyPrevious, config.Describe(c)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T", "%p", "%10.3s"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		if text, err = yaml.Marshal(v); err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	for _, form := range []string{marker, fmt.Sprintf("%x", marker), fmt.Sprintf("%X", marker), fmt.Sprint([]byte(marker))[1:40]} {
		if strings.Contains(out.String(), form) {
			t.Errorf("a secret shows as %q", form)
		}
	}
	if secret.Reveal() != marker || (config.Secret{}).Reveal() != "" {
		t.Error("Reveal does not return the text")
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	file := write(t, "secret", marker+"\n")
	c, err := load("SECRET_KEY_FILE="+file, "REDIS_URL=rediss://user:"+marker+"@cache:6379/0?x="+marker,
		"SECRET_KEY_PREVIOUS="+marker)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []config.Setting{
		{Name: "SECRET_KEY", Value: "[redacted]", Origin: "file " + file},
		{Name: "SECRET_KEY_PREVIOUS", Value: "[redacted]", Origin: "environment"},
		{Name: "REDIS_URL", Value: "rediss://[redacted]@cache:6379/0", Origin: "environment"},
		{Name: "DATABASE_URL", Value: "sqlite:data/tokenwright.db", Origin: "default"},
		{Name: "RESOURCE_CLIENT_SECRET", Value: "", Origin: "default"},
	} {
		if diff := cmp.Diff(want, setting(t, c, want.Name)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	file := write(t, "secret", " "+marker+" \r\n")
	c, err := load("RESOURCE_CLIENT_ID=api", "RESOURCE_CLIENT_SECRET_FILE="+file)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Revocation.ResourceClientSecret.Reveal(); got != " "+marker+" " {
		t.Errorf("got %q, want all but the line end", got)
	}
	for _, tc := range []struct {
		name    string
		environ []string
		want    string
	}{
		{"a missing file is named", []string{"SECRET_KEY_FILE=" + file + "x"}, `SECRET_KEY_FILE="` + file + `x" (environment): want a readable file`},
		{"an unreadable one is named", []string{"SECRET_KEY_FILE=" + filepath.Dir(file)}, `SECRET_KEY_FILE="` + filepath.Dir(file) + `" (environment): want a readable file`},
		{"an empty one is named", []string{"REDIS_URL_FILE=" + os.DevNull}, `REDIS_URL_FILE="` + os.DevNull + `" (environment): want a file with the secret in it`},
		{"a value and a file are one too many", []string{"DATABASE_URL=sqlite:x", "DATABASE_URL_FILE=" + file},
			"DATABASE_URL (environment) and DATABASE_URL_FILE (environment) are both set"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(tc.environ...)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestTheSecretThatIsMade(t *testing.T) {
	t.Chdir(t.TempDir())
	first := mustLoad(t, config.Sources{})
	if _, err := os.Stat("data"); !os.IsNotExist(err) {
		t.Fatalf("loading made something: %v", err)
	}
	second := mustLoad(t, config.Sources{})
	var wg sync.WaitGroup
	for _, c := range []*config.Config{&first, &second} {
		wg.Go(func() {
			if err := c.MakeSecretKey(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	secret := first.Keys.SecretKey.Reveal()
	if len(secret) < 32 || second.Keys.SecretKey.Reveal() != secret {
		t.Fatal("two servers that start at once have two secrets, or a short one")
	}
	for path, want := range map[string]os.FileMode{"data": 0o700, "data/secret.key": 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
	if left, err := os.ReadDir("data"); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	t.Run("is the same at the next start", func(t *testing.T) {
		c := mustLoad(t, config.Sources{})
		if c.Keys.SecretKey.Reveal() != secret {
			t.Error("another secret")
		}
		want := config.Setting{Name: "SECRET_KEY", Value: "[redacted]", Origin: "file data/secret.key"}
		for _, c := range []config.Config{c, first} {
			if diff := cmp.Diff(want, setting(t, c, "SECRET_KEY")); diff != "" {
				t.Error(diff)
			}
		}
	})
	t.Run("does not stand in for one that servers share", func(t *testing.T) {
		_, err := load("REDIS_URL=redis://cache:6379")
		if err == nil || !strings.HasPrefix(err.Error(), "SECRET_KEY is not set") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("is not made if one is set", func(t *testing.T) {
		c := mustLoad(t, config.Sources{Environ: []string{"SECRET_KEY=" + marker}})
		if err := c.MakeSecretKey(); err != nil || c.Keys.SecretKey.Reveal() != marker {
			t.Errorf("replaced, %v", err)
		}
	})
	t.Run("is refused if others may read it", func(t *testing.T) {
		if err := os.Chmod("data/secret.key", 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := load()
		if err == nil || !strings.Contains(err.Error(), "chmod 600 data/secret.key") || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("has a clear word where it cannot be kept", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("data", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c := config.Config{}
		err := c.MakeSecretKey()
		if err == nil || !strings.HasPrefix(err.Error(), "data/secret.key cannot be made: ") {
			t.Errorf("got %v", err)
		}
	})
}
