package config

import (
	"slices"
	"strings"
)

// Setting is one setting as it may be shown.
type Setting struct {
	Name string `json:"name"`
	// Value is empty if there is none. Secrets are redacted, and of an address
	// what may be a password.
	Value string `json:"value"`
	// Origin is "flag", "environment", ".env", "file PATH" or "default".
	Origin string `json:"origin"`
}

// Describe lists the effective settings in the order of Config.
func Describe(c Config) []Setting { return slices.Clone(c.settings) }

func (l *loader) describe() []Setting {
	list := make([]Setting, len(l.vars))
	for i, v := range l.vars {
		from := l.values[v.name]
		if from.origin == "" {
			from.origin = fromDefault
		}
		list[i] = Setting{v.name, v.show(from.text), from.origin}
	}
	return list
}

func (v variable) show(text string) string {
	switch {
	case text == "" || v.secret == "":
		return withoutUserinfo(text)
	case v.secret == secretURL && strings.HasPrefix(text, "sqlite:"):
		return text
	case v.secret == secretURL && strings.Contains(text, "://"):
		address, _, _ := strings.Cut(withoutUserinfo(text), "?")
		return address
	}
	return redacted
}

// withoutUserinfo hides what is before the @ of a URL. It looks for the last
// one, as a password that was not encoded may have another, or a slash.
func withoutUserinfo(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	at := strings.LastIndex(rest, "@")
	if !ok || at < 0 {
		return text
	}
	return scheme + "://" + redacted + rest[at:]
}

// shortened keeps a value that was pasted by mistake from filling the screen.
func shortened(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
