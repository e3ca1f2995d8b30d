package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// answer is a response that was read to its end, or err. A check may ask for what
// it says without looking at err: is reports it.
type answer struct {
	method string
	url    string
	status int
	header http.Header
	body   []byte
	took   time.Duration
	err    error
}

// name is the request without its query, which may have credentials.
func (a answer) name() string {
	u, err := url.Parse(a.url)
	if err != nil {
		return a.method
	}
	return a.method + " " + u.Path
}

// wrong is a failure that names the request.
func (a answer) wrong(format string, args ...any) error {
	return errors.New(a.name() + ": " + fmt.Sprintf(format, args...))
}

// object is the body as a JSON object; nil if it is none.
func (a answer) object() map[string]any {
	var o map[string]any
	if json.Unmarshal(a.body, &o) != nil {
		return nil
	}
	return o
}

// text is a member of the object that is a string; empty if there is none.
func (a answer) text(member string) string {
	s, _ := a.object()[member].(string)
	return s
}

// is wants one of the answers, each written as "400 invalid_request": a status,
// and the error of RFC 6749 §5.2 if that matters.
func (a answer) is(want ...string) error {
	if a.err != nil {
		return a.err
	}
	for _, w := range want {
		status, code, _ := strings.Cut(w, " ")
		if strconv.Itoa(a.status) == status && (code == "" || a.text("error") == code) {
			return nil
		}
	}
	if a.status == http.StatusTooManyRequests {
		return &unmet{"answered 429: wait a minute, or raise the issuer's limits"}
	}
	got := strconv.Itoa(a.status)
	if code := a.text("error"); code != "" {
		got += " " + code
	}
	return a.wrong("got %s, want %s", got, strings.Join(want, " or "))
}

// has wants a header to contain text, whatever its case.
func (a answer) has(header, text string) error {
	if a.err != nil {
		return a.err
	}
	value := strings.Join(a.header.Values(header), ", ")
	if strings.Contains(strings.ToLower(value), strings.ToLower(text)) {
		return nil
	}
	if value == "" {
		return a.wrong("no %s, want one with %s", header, text)
	}
	return a.wrong("%s is %q, want %s in it", header, value, text)
}

// lacks wants a header not to be there, or without text if that is not empty.
func (a answer) lacks(header, text string) error {
	value := strings.Join(a.header.Values(header), ", ")
	if a.err == nil && value != "" && strings.Contains(value, text) {
		return a.wrong("%s is %q", header, value)
	}
	return a.err
}

func (a answer) isJSON() error {
	if a.err != nil {
		return a.err
	}
	if kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); kind != "application/json" {
		return a.wrong("Content-Type is %q, want application/json", a.header.Get("Content-Type"))
	}
	if a.object() == nil {
		return a.wrong("the body is no JSON object")
	}
	return nil
}

// like wants an answer that nobody can tell from b: status, body, and all headers
// but those that differ on every answer.
func (a answer) like(b answer) error {
	switch {
	case a.err != nil:
		return a.err
	case b.err != nil:
		return b.err
	case a.status != b.status:
		return a.wrong("got %d in one case and %d in the other", a.status, b.status)
	case string(a.body) != string(b.body):
		return a.wrong("the two bodies differ")
	}
	for _, pair := range [][2]answer{{a, b}, {b, a}} {
		for name, values := range pair[0].header {
			other, ok := pair[1].header[name]
			same := strings.Join(values, ", ") == strings.Join(other, ", ")
			if !ok || !same && name != "Date" && name != "X-Request-Id" && name != "Traceparent" {
				return a.wrong("the two answers differ in %s", name)
			}
		}
	}
	return nil
}
