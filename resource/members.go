package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// members splits a JSON object by the exact names of its members. It refuses
// what readers of JSON understand differently: text that is not UTF-8, a member
// that stands twice at any depth (RFC 8725 §2.4), and a name that differs from
// one of known in case only, which encoding/json would take for it.
func members(object []byte, known []string) (map[string]json.RawMessage, error) {
	if !utf8.Valid(object) {
		return nil, errors.New("not UTF-8")
	}
	if !json.Valid(object) {
		return nil, errors.New("not JSON")
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(object)), object: object}
	w.dec.UseNumber() // 1e400 is for the reader of that member to refuse
	m, err := w.value(true)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, errors.New("not a JSON object")
	}
	for name := range m {
		if slices.Contains(known, name) {
			continue
		}
		for _, k := range known {
			if strings.EqualFold(name, k) {
				return nil, fmt.Errorf("member %s in another case", k)
			}
		}
	}
	return m, nil
}

// walker reads valid JSON once, from its beginning.
type walker struct {
	dec    *json.Decoder
	object []byte
}

// value reads one value and refuses members that stand twice. It returns an
// object's members, as they are written if keep is set, and nil for what is no
// object. The depth of its recursion is what json.Valid lets pass.
func (w *walker) value(keep bool) (map[string]json.RawMessage, error) {
	t, err := w.dec.Token()
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	switch t {
	case json.Delim('{'):
		m = map[string]json.RawMessage{}
	case json.Delim('['):
	default:
		return nil, nil
	}
	for w.dec.More() {
		if m == nil {
			if _, err := w.value(false); err != nil {
				return nil, err
			}
			continue
		}
		t, err := w.dec.Token()
		if err != nil {
			return nil, err
		}
		name := t.(string)
		if _, twice := m[name]; twice {
			return nil, fmt.Errorf("member %.40q repeated", name)
		}
		start := w.dec.InputOffset()
		if _, err := w.value(false); err != nil {
			return nil, err
		}
		m[name] = nil
		if keep {
			m[name] = bytes.TrimLeft(w.object[start:w.dec.InputOffset()], ": \t\r\n")
		}
	}
	_, err = w.dec.Token() // the closing delimiter
	return m, err
}
