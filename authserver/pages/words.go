package pages

import (
	"fmt"
	"html/template"
	"strconv"
	"time"
)

// duration is d in words, rounded up: who comes back then is not too early.
func (t texts) duration(d time.Duration) (string, error) {
	n, unit := int64((d+time.Second-1)/time.Second), "second"
	switch {
	case d > 90*time.Minute:
		n, unit = int64((d+time.Hour-1)/time.Hour), "hour"
	case d > 90*time.Second:
		n, unit = int64((d+time.Minute-1)/time.Minute), "minute"
	}
	return t.count("duration."+unit, n)
}

// count is the text of key for n.
func (t texts) count(key string, n int64) (string, error) {
	if n == 1 {
		return t.plain(key + ".one")
	}
	return t.plain(key+".many", "n", strconv.FormatInt(n, 10))
}

// when is the text of key with how long ago at was, or the day if that is longer
// ago; the exact time is there for who points at it. The server does not know
// the reader's time zone, and says UTC where it matters.
func (t texts) when(key string, at time.Time) (template.HTML, error) {
	at = at.UTC()
	day, err := t.day(at)
	if err != nil {
		return "", err
	}
	words, err := t.plain("day.on", "day", day)
	switch ago := time.Since(at); {
	case ago < time.Minute:
		words, err = t.plain("ago.now")
	case ago < time.Hour:
		words, err = t.count("ago.minute", int64(ago/time.Minute))
	case ago < 24*time.Hour:
		words, err = t.count("ago.hour", int64(ago/time.Hour))
	case ago < 7*24*time.Hour:
		words, err = t.count("ago.day", int64(ago/(24*time.Hour)))
	}
	if err != nil {
		return "", err
	}
	sentence, err := t.plain(key)
	if err != nil {
		return "", err
	}
	html, err := put(template.HTMLEscapeString(sentence), []string{"time", words}, func(s string) string {
		return fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`, at.Format(time.RFC3339),
			template.HTMLEscapeString(day+at.Format(", 15:04 UTC")), template.HTMLEscapeString(s))
	})
	return template.HTML(html), err
}

func (t texts) day(at time.Time) (string, error) {
	month, err := t.plain("month." + strconv.Itoa(int(at.Month())))
	if err != nil {
		return "", err
	}
	return t.plain("day", "day", strconv.Itoa(at.Day()), "month", month, "year", strconv.Itoa(at.Year()))
}

// scope is a scope in words: as described, or ours, or its name.
func (t texts) scope(s Scope) string {
	if s.Description != "" {
		return s.Description
	}
	if text, ok := t.of["scope."+s.Name]; ok {
		return text
	}
	return s.Name
}

// fault is what is wrong with a field, or empty if nothing is.
func (t texts) fault(f Fault) string {
	if text, ok := t.of["fault."+f.Field+"."+f.Type]; ok {
		return text
	}
	return f.Message
}
