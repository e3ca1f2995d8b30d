package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/tokenwright/tokenwright/authserver/oauth"
	"github.com/tokenwright/tokenwright/authserver/web"
)

// readForm reads a form in either of the encodings that the tutorial's login
// takes. The query is never read.
func readForm(r *http.Request) (url.Values, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == "multipart/form-data" {
		if err := r.ParseMultipartForm(oauth.MaxBody); err != nil {
			return nil, unreadable(err)
		}
		form := url.Values(r.MultipartForm.Value)
		return form, checkForm(form)
	}
	form, err := oauth.ParseForm(r)
	if err != nil {
		return nil, formFault(err)
	}
	return form, nil
}

// readBody reads a form, or a JSON object whose members take the place of the
// form's parameters.
func readBody(r *http.Request) (url.Values, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/json" {
		return readForm(r)
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, unreadable(err)
	}
	var members map[string]any
	if err := unmarshal(data, &members); err != nil {
		return nil, newInvalid(fault{Loc: []any{"body"}, Msg: "The body must be a JSON object in UTF-8", Type: "json_invalid"})
	}
	form := url.Values{}
	for _, name := range []string{"refresh_token", "scope", "client_id", "client_secret"} {
		switch v := members[name].(type) {
		case nil:
		case string:
			form.Set(name, v)
		default:
			return nil, newInvalid(fault{Loc: []any{"body", name}, Msg: "Expected string", Type: "string_type"})
		}
	}
	return form, checkForm(form)
}

func checkForm(form url.Values) error {
	if err := oauth.CheckForm(form); err != nil {
		return formFault(err)
	}
	return nil
}

// formFault says in a 422 what oauth found wrong with a form.
func formFault(err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok {
		return web.InternalError()
	}
	if e.Code == oauth.CodeTooLarge {
		return web.TooLarge()
	}
	return newInvalid(fault{Loc: []any{"body"}, Msg: e.Detail, Type: "value_error"})
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return web.TooLarge()
	}
	return newInvalid(fault{Loc: []any{"body"}, Msg: "The body is not well-formed", Type: "value_error"})
}

// require says which of names the form lacks.
func require(form url.Values, names ...string) error {
	var faults []fault
	for _, name := range names {
		if !form.Has(name) {
			faults = append(faults, missing("body", name))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return newInvalid(faults...)
}
