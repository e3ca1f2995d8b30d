package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.UseNumber() // 1e400 is for the reader of that member to refuse
	if err := distinct(dec); err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(object, &m); err != nil || m == nil {
		return nil, errors.New("not a JSON object")
	}
	for name := range m {
		for _, k := range known {
			if name != k && strings.EqualFold(name, k) {
				return nil, fmt.Errorf("member %s in another case", k)
			}
		}
	}
	return m, nil
}

// distinct reads one value and refuses members that stand twice. The depth of
// its recursion is what json.Valid lets pass.
func distinct(dec *json.Decoder) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	var seen map[string]bool
	switch t {
	case json.Delim('{'):
		seen = map[string]bool{}
	case json.Delim('['):
	default:
		return nil
	}
	for dec.More() {
		if seen != nil {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			if seen[name.(string)] {
				return fmt.Errorf("member %.40q repeated", name)
			}
			seen[name.(string)] = true
		}
		if err := distinct(dec); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the closing delimiter
	return err
}
