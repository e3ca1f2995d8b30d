package pages

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

//go:embed texts/*.json
var textFiles embed.FS

// texts is one language: its tag, and text by key. In a text {name} stands for
// what is put there.
type texts struct {
	tag language.Tag
	of  map[string]string
}

// readTexts returns all languages, English first: it is for all others.
func readTexts() ([]texts, error) {
	names, err := fs.Glob(textFiles, "texts/*.json")
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	var all []texts
	for _, name := range names {
		content, err := textFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
		one := texts{tag: language.Make(strings.TrimSuffix(strings.TrimPrefix(name, "texts/"), ".json"))}
		if err := json.Unmarshal(content, &one.of); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b texts) int {
		switch english := language.English; {
		case a.tag == english:
			return -1
		case b.tag == english:
			return 1
		}
		return 0
	})
	return all, nil
}

// plain is the text of key; pairs are a name and what to put in its place, each.
func (t texts) plain(key string, pairs ...string) (string, error) {
	text, ok := t.of[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, t.tag)
	}
	return put(text, pairs, func(s string) string { return s })
}

// rich is plain with a name in each place, set off from the sentence.
func (t texts) rich(key string, pairs ...string) (template.HTML, error) {
	text, ok := t.of[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, t.tag)
	}
	html, err := put(template.HTMLEscapeString(text), pairs, func(s string) string {
		return "<strong>" + string(name(s)) + "</strong>"
	})
	return template.HTML(html), err // both parts are escaped
}

// name is text from outside that cannot turn the words around it: bdi isolates
// its direction of writing, but an isolate that it opens itself would swallow
// the end of bdi's. So what opens and closes such things is left out.
func name(s string) template.HTML {
	s = strings.Map(func(r rune) rune {
		if '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' {
			return -1
		}
		return r
	}, s)
	return template.HTML("<bdi>" + template.HTMLEscapeString(s) + "</bdi>") // escaped
}

func put(text string, pairs []string, show func(string) string) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("a name without what to put there: %q", pairs[len(pairs)-1])
	}
	var replace []string
	for pair := range slices.Chunk(pairs, 2) {
		replace = append(replace, "{"+pair[0]+"}", show(pair[1]))
	}
	return strings.NewReplacer(replace...).Replace(text), nil
}
