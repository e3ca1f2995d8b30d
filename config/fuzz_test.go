package config_test

import (
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/config"
)

// Whatever the settings are, they are either taken or refused in words, line by
// line, each line with the name of a setting and none with a secret.
func FuzzLoad(f *testing.F) {
	names := make([]string, 0, 50)
	for name := range config.VariablesForTest() {
		names = append(names, name)
	}
	for _, name := range names {
		f.Add(name, "")
		f.Add(name, "x")
		f.Add(name, "-1")
		f.Add(name, "postgres://u:p@h/d\x00")
		f.Add(name, "redis+sentinel://:p@a,b/m?tls=true")
	}
	f.Add("LOGIN_RATE", "10/1m")
	f.Add("TRUSTED_PROXIES", "10.0.0.0/8, ::1/128")
	f.Fuzz(func(t *testing.T, name, value string) {
		const key = "a-secret-that-nobody-may-see-0123456789"
		secret := key + value
		_, err := config.Load(config.Sources{
			Environ: []string{name + "=" + value, "SECRET_KEY=" + secret},
			Demo:    len(value)%2 == 1,
		})
		if err == nil {
			return
		}
		for line := range strings.Lines(err.Error() + "\n") {
			if !strings.ContainsAny(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				t.Errorf("%s=%q: %q names no setting", name, value, line)
			}
			if strings.Contains(line, key) {
				t.Errorf("%s=%q: the secret is in %q", name, value, line)
			}
		}
	})
}
