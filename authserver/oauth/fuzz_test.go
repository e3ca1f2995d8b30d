package oauth

import (
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// What ParseForm lets through is valid UTF-8, has nothing twice but what may be,
// and reads the same when it is written again.
func FuzzParseForm(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	f.Add(form, passwordForm)
	f.Add(form+"; charset=UTF-8", "resource=a&resource=b&scope=")
	f.Add(form, "a=1&a=2")
	f.Add(form, "a=%zz&=&&;")
	f.Add(form, "a=%ff")
	f.Add("multipart/form-data; boundary=x", "--x--")
	f.Add("", "\x00")
	f.Fuzz(func(t *testing.T, media, body string) {
		r := httptest.NewRequest("POST", PathToken+"?client_id=query", strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		got, err := ParseForm(r)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Status() != 400 && e.Status() != 413 {
				t.Fatalf("got %v, want a fault of the request", err)
			}
			if body != "" && strings.Contains(e.Detail, body) && len(body) > 4 {
				t.Errorf("the fault repeats the body: %s", e.Detail)
			}
			return
		}
		for name, values := range got {
			if len(values) == 0 || len(values) > 1 && name != "resource" && name != "audience" {
				t.Errorf("%q has %d values", name, len(values))
			}
			for _, v := range values {
				if !utf8.ValidString(name) || !utf8.ValidString(v) {
					t.Errorf("%q=%q is not UTF-8", name, v)
				}
				if len(values) == 1 && v == "" {
					t.Errorf("%q is there without a value", name)
				}
			}
		}
		again, err := url.ParseQuery(got.Encode())
		if err != nil || again.Encode() != got.Encode() {
			t.Errorf("%q reads as %v", got.Encode(), again)
		}
	})
}

// Basic credentials that are taken have an id and, written again, are the same.
func FuzzBasic(f *testing.F) {
	for _, plain := range []string{"conf:" + confSecret, "a%3Ab:c%20d", ":", "id", "id:", "%zz:x", "\xff:x", "a:b:c", "+:+"} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(plain)))
	}
	f.Add("")
	f.Add("  !!!")
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := parseBasic(value)
		if !ok {
			return
		}
		if got.id == "" || !utf8.ValidString(got.id) || !utf8.ValidString(got.secret) {
			t.Errorf("%q reads as %q and a secret of %d bytes", value, got.id, len(got.secret))
		}
		plain := url.QueryEscape(got.id) + ":" + url.QueryEscape(got.secret)
		again, ok := parseBasic(base64.StdEncoding.EncodeToString([]byte(plain)))
		if !ok || again != got {
			t.Errorf("%q does not read as what it was written from", plain)
		}
	})
}
