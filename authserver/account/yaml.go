package account

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// yamlReader walks a YAML document and collects what is wrong with it. It is in
// place of yaml.Unmarshal because that quotes the values that it cannot take,
// and a value may be a secret that stands on the wrong line.
type yamlReader struct {
	faults []fault
}

// fault is something wrong with a line of a file.
type fault struct {
	line int
	text string
}

// parseYAML returns the one document in text; nil if it is empty. Its errors do
// not quote the text either.
func parseYAML(text []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err = dec.Decode(&more); errors.Is(err, io.EOF) {
			return doc.Content[0], nil
		}
		if err == nil {
			return nil, fmt.Errorf("line %d: a second document begins: put everything into one", more.Line)
		}
	}
	line := 0
	if n, _ := fmt.Sscanf(err.Error(), "yaml: line %d:", &line); n == 1 {
		return nil, fmt.Errorf("near line %d: not YAML: check indentation and brackets, and quote values that have special characters", line)
	}
	return nil, errors.New("not YAML: quote values that have special characters, such as those that begin with * or &")
}

func (r *yamlReader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, fault{line, fmt.Sprintf(format, args...)})
}

// fields gives each value of the mapping n to the function of its key.
func (r *yamlReader) fields(n *yaml.Node, what string, known map[string]func(*yaml.Node)) {
	r.pairs(n, what, func(key, value *yaml.Node) {
		read, ok := known[key.Value]
		if !ok {
			keys := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
			r.fault(key.Line, "%s has no key %q: use %s", what, key.Value, keys)
			return
		}
		read(value)
	})
}

// pairs gives each key of the mapping n with its value to do, each key once.
func (r *yamlReader) pairs(n *yaml.Node, what string, do func(key, value *yaml.Node)) {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		r.fault(n.Line, "%s must be a mapping of keys to values", what)
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.fault(key.Line, "%s has a key that is not text", what)
			continue
		}
		if first, ok := lines[key.Value]; ok {
			r.fault(key.Line, "%s has the key %q twice, first on line %d: leave one out", what, key.Value, first)
			continue
		}
		lines[key.Value] = key.Line
		do(key, n.Content[i+1])
	}
}

func (r *yamlReader) items(n *yaml.Node, what string, do func(*yaml.Node)) {
	n = target(n)
	if n.Kind != yaml.SequenceNode {
		r.fault(n.Line, "%s must be a list", what)
		return
	}
	for _, item := range n.Content {
		do(item)
	}
}

func (r *yamlReader) text(what string, to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n = target(n); n.ShortTag() != "!!str" {
			r.fault(n.Line, "%s must be text: put it in quotes", what)
			return
		}
		*to = n.Value
	}
}

func (r *yamlReader) texts(what string, to *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*to = []string{}
		r.items(n, what, func(item *yaml.Node) {
			var s string
			r.text("each of "+what, &s)(item)
			*to = append(*to, s)
		})
	}
}

func (r *yamlReader) truth(what string, to *bool) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n = target(n); n.ShortTag() != "!!bool" || n.Decode(to) != nil {
			r.fault(n.Line, "%s must be true or false", what)
		}
	}
}

func (r *yamlReader) seconds(what string, to **time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var s int32
		if n = target(n); n.ShortTag() != "!!int" || n.Decode(&s) != nil {
			r.fault(n.Line, "%s must be a whole number of seconds", what)
			return
		}
		d := time.Duration(s) * time.Second
		*to = &d
	}
}

// target is what an alias stands for, and any other node itself.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
