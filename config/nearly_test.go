package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/config"
)

func TestWhatIsNearlyASettingIsSaid(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"LISTEM":                      "LISTEN",
		"listen":                      "LISTEN",
		"SECRET_KEY_FILES":            "SECRET_KEY_FILE",
		"ACCESS_TOKEN_EXPIRE_MINUTE":  "ACCESS_TOKEN_EXPIRE_MINUTES",
		"SESSION_PER_USER":            "SESSIONS_PER_USER",
		"DATABASE_URI":                "DATABASE_URL",
		"LOGIN_RATE_IP":               "",
		"SECRET_KEY_FILE":             "",
		"POSTGRES_PASSWORD":           "",
		"OTEL_EXPORTER_OTLP_HEADERS":  "",
		"OTEL_EXPORTER_OTLP_PROTOCOL": "",
		"NODE_ENV":                    "",
		"DEBUG":                       "",
	} {
		dotenv := write(t, ".env", name+"=hunter2-value\n")
		c, _ := config.Load(config.Sources{DotEnv: dotenv})
		var got []string
		if want != "" {
			got = []string{dotenv + ": " + name + " is no setting: did you mean " + want + "?"}
		}
		if hints := c.Hints(); !slices.Equal(hints, got) || strings.Contains(strings.Join(hints, ""), "hunter2") {
			t.Errorf("%s: got %q, want %q", name, hints, got)
		}
	}
}
