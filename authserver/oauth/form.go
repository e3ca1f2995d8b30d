package oauth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// MaxBody is how many bytes a form may have.
const MaxBody = 64 << 10

// maxParameters is how many of them a form may have, those that nobody reads too.
const maxParameters = 256

func tooMany(resources int) error {
	if resources > maxResources {
		return refuse(CodeInvalidTarget, "Too many resources are named: 16 at most.")
	}
	return refuse(CodeInvalidRequest, "Too many parameters are given: 256 at most.")
}

// ParseForm reads the body of a request as the token endpoint takes it: the one
// media type of RFC 6749 §4.3.2, valid UTF-8, nothing twice (§3.2) but the
// parameter resource (RFC 8707 §2), and a parameter without a value as if it
// were not there (§3.2). The query is never read (§2.3.1).
func ParseForm(r *http.Request) (url.Values, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, refuse(CodeInvalidRequest, "The body must be application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, MaxBody))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, because(CodeTooLarge, tooLarge)
	}
	if err != nil {
		return nil, refuse(CodeInvalidRequest, "The body could not be read.")
	}
	if bytes.Count(body, []byte("&")) >= maxParameters { // before each is taken apart
		return nil, tooMany(bytes.Count(body, []byte("resource=")))
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse(CodeInvalidRequest, "The body is not well-formed.")
	}
	if err := CheckForm(form); err != nil {
		return nil, err
	}
	return form, nil
}

// CheckForm applies the rules of ParseForm to parameters that were decoded
// elsewhere, and drops those without a value.
func CheckForm(form url.Values) error {
	if len(form) > maxParameters {
		return tooMany(len(form["resource"]))
	}
	for name, values := range form {
		if !utf8.ValidString(name) {
			return refuse(CodeInvalidRequest, "The body is not valid UTF-8.")
		}
		for _, v := range values {
			if !utf8.ValidString(v) {
				return refuse(CodeInvalidRequest, "The body is not valid UTF-8.")
			}
		}
		if len(values) > 1 && name != "resource" && name != "audience" {
			return refuse(CodeInvalidRequest, "A parameter is given twice.")
		}
		if len(values) == 1 && values[0] == "" {
			delete(form, name)
		}
	}
	return nil
}

// credentials are what a client presents of itself. An empty id means that it
// presented nothing; an empty secret, that it did not authenticate.
type credentials struct {
	id, secret string
}

// clientCredentials takes them from the header Authorization or from the form,
// one at a time (RFC 6749 §2.3). Another scheme than Basic is no client
// authentication.
func clientCredentials(r *http.Request, form url.Values) (credentials, error) {
	body := credentials{form.Get("client_id"), form.Get("client_secret")}
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return credentials{}, refuse(CodeInvalidRequest, "Authorization is given twice.")
	}
	if len(headers) == 0 {
		return body, nil
	}
	scheme, value, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return body, nil
	}
	basic, ok := parseBasic(value)
	if !ok {
		return credentials{}, refuse(CodeInvalidClient, "")
	}
	if body.secret != "" {
		return credentials{}, refuse(CodeInvalidRequest, "The client authenticates in more than one way.")
	}
	if body.id != "" && body.id != basic.id {
		return credentials{}, refuse(CodeInvalidRequest, "Two clients are named.")
	}
	return basic, nil
}

// parseBasic reads Basic credentials whose halves are form-encoded (RFC 6749
// §2.3.1 and appendix B).
func parseBasic(value string) (credentials, bool) {
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimLeft(value, " "))
	if err != nil || !utf8.Valid(decoded) {
		return credentials{}, false
	}
	id, secret, ok := strings.Cut(string(decoded), ":")
	if !ok {
		return credentials{}, false
	}
	var c credentials
	if c.id, err = url.QueryUnescape(id); err != nil || c.id == "" || !utf8.ValidString(c.id) {
		return credentials{}, false
	}
	if c.secret, err = url.QueryUnescape(secret); err != nil || !utf8.ValidString(c.secret) {
		return credentials{}, false
	}
	return c, true
}
