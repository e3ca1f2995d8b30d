package pages

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func inLanguage(t *testing.T, tag string) texts {
	t.Helper()
	all, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.tag.String() == tag {
			return one
		}
	}
	t.Fatalf("no texts in %s", tag)
	return texts{}
}

func TestDurationsAreRoundedUp(t *testing.T) {
	for _, tc := range []struct {
		d      time.Duration
		en, de string
	}{
		{time.Millisecond, "one second", "einer Sekunde"},
		{45 * time.Second, "45 seconds", "45 Sekunden"},
		{90 * time.Second, "90 seconds", "90 Sekunden"},
		{91 * time.Second, "2 minutes", "2 Minuten"},
		{15*time.Minute + time.Second, "16 minutes", "16 Minuten"},
		{90 * time.Minute, "90 minutes", "90 Minuten"},
		{91 * time.Minute, "2 hours", "2 Stunden"},
	} {
		for tag, want := range map[string]string{"en": tc.en, "de": tc.de} {
			if got, err := inLanguage(t, tag).duration(tc.d); got != want || err != nil {
				t.Errorf("%v: %q %v, want %q", tc.d, got, err, want)
			}
		}
	}
}

func TestWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is midnight, 1 January 2000
		for _, tc := range []struct {
			ago    time.Duration
			en, de string
		}{
			{-time.Hour, "Last used just now", "Zuletzt benutzt gerade eben"}, // another server's clock
			{59 * time.Second, "Last used just now", "Zuletzt benutzt gerade eben"},
			{time.Minute, "Last used a minute ago", "Zuletzt benutzt vor einer Minute"},
			{59 * time.Minute, "Last used 59 minutes ago", "Zuletzt benutzt vor 59 Minuten"},
			{time.Hour, "Last used an hour ago", "Zuletzt benutzt vor einer Stunde"},
			{23 * time.Hour, "Last used 23 hours ago", "Zuletzt benutzt vor 23 Stunden"},
			{24 * time.Hour, "Last used a day ago", "Zuletzt benutzt vor einem Tag"},
			{167 * time.Hour, "Last used 6 days ago", "Zuletzt benutzt vor 6 Tagen"},
			{168 * time.Hour, "Last used on 25 December 1999", "Zuletzt benutzt am 25. Dezember 1999"},
		} {
			for tag, want := range map[string]string{"en": tc.en, "de": tc.de} {
				at := time.Now().Add(-tc.ago)
				got, err := inLanguage(t, tag).when("sessions.used", at)
				if err != nil {
					t.Fatal(err)
				}
				_, words, _ := strings.Cut(string(got), `UTC">`)
				before, _, _ := strings.Cut(string(got), "<time")
				if words = before + strings.TrimSuffix(words, "</time>"); words != want {
					t.Errorf("%v: %q, want %q", tc.ago, words, want)
				}
				if !strings.Contains(string(got), `datetime="`+at.UTC().Format(time.RFC3339)+`"`) {
					t.Errorf("%v: the exact time is not in %q", tc.ago, got)
				}
			}
		}
	})
}

func TestScopesInWords(t *testing.T) {
	en := inLanguage(t, "en")
	for _, tc := range []struct {
		scope Scope
		want  string
	}{
		{Scope{Name: "email"}, "See your e-mail address"},
		{Scope{Name: "email", Description: "Send you mail"}, "Send you mail"},
		{Scope{Name: "orders:read"}, "orders:read"},
	} {
		if got := en.scope(tc.scope); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.scope, got, tc.want)
		}
	}
}

func TestDevice(t *testing.T) {
	for userAgent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox (Linux)",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36":                         "Chrome (Windows)",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0":           "Edge (Windows)",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1": "Safari (iOS)",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15":                   "Safari (macOS)",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36":                         "Chrome (Android)",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36":                                                                            "Windows", // cut off
		"Mozilla/5.0":     "Mozilla/5.0",
		"Firefox (Linux)": "Firefox (Linux)",
		"example-cli/1.2": "example-cli/1.2",
		"":                "",
	} {
		if got := Device(userAgent); got != want {
			t.Errorf("%s: %q, want %q", userAgent, got, want)
		}
	}
}
