package config

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Secret is text that is not to be shown. Only Reveal returns it.
type Secret struct {
	// A pointer, because fmt cannot call Format on a Secret in an unexported
	// field of a struct that it prints, and would print the text.
	text *string
}

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text; empty for the zero Secret.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet reports whether there is any text.
func (s Secret) IsSet() bool { return s.Reveal() != "" }

// Format writes the same for every verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// LogValue keeps the text out of slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the text out of JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText takes the bytes as they are: nothing is decoded or trimmed.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// Secrets is a list of secrets.
type Secrets []Secret

// UnmarshalText splits at commas; blanks around a secret are not part of it. Where
// there is a line end, each line is a secret as it is written, commas and blanks
// with it; empty lines are passed over.
func (s *Secrets) UnmarshalText(text []byte) error {
	*s = nil
	if strings.Contains(string(text), "\n") {
		for line := range strings.SplitSeq(string(text), "\n") {
			if line = strings.TrimSuffix(line, "\r"); line != "" {
				*s = append(*s, NewSecret(line))
			}
		}
		return nil
	}
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part != "" {
			*s = append(*s, NewSecret(part))
		}
	}
	return nil
}

// Reveal returns the texts.
func (s Secrets) Reveal() []string {
	var texts []string
	for _, one := range s {
		texts = append(texts, one.Reveal())
	}
	return texts
}
