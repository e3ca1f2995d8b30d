package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tokenwright/tokenwright/authserver/web"
)

// fault is one thing that is wrong with a request: where, in words and by kind.
// It never holds what was sent.
type fault struct {
	Loc  []any  `json:"loc" nullable:"false" doc:"Where it is: \"body\" or \"query\", then the member." example:"[\"body\",\"username\"]"`
	Msg  string `json:"msg" example:"Field required"`
	Type string `json:"type" example:"missing"`
}

// invalid is a 422.
type invalid struct {
	Detail []fault `json:"detail" nullable:"false"`
}

func newInvalid(faults ...fault) *invalid { return &invalid{faults} }

func missing(in, name string) fault {
	return fault{Loc: []any{in, name}, Msg: "Field required", Type: "missing"}
}

func (*invalid) Error() string  { return "invalid request" }
func (*invalid) GetStatus() int { return http.StatusUnprocessableEntity }

// maxFaults bounds an answer: a list may have a fault in each of its thousands.
const maxFaults = 16

// humaError takes the place of huma's own errors, which echo what was sent.
func humaError(status int, _ string, errs ...error) huma.StatusError {
	var faults []fault
	for _, err := range errs[:min(len(errs), maxFaults)] {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return web.TooLarge()
		}
		if d, ok := err.(huma.ErrorDetailer); ok {
			faults = append(faults, newFault(d.ErrorDetail()))
		}
	}
	switch {
	case len(faults) > 0:
		return newInvalid(faults...)
	case status == http.StatusBadRequest: // huma's for a body that is not there
		return newInvalid(fault{Loc: []any{"body"}, Msg: "Field required", Type: "missing"})
	case status == http.StatusRequestEntityTooLarge:
		return web.TooLarge()
	}
	return web.NewProblem(status, http.StatusText(status))
}

// newFault keeps what of huma's words is ours: a message of its validator names
// types and limits of the schema, any other may quote the request.
func newFault(d *huma.ErrorDetail) fault {
	f := fault{Loc: location(d.Location)}
	expected, known := strings.CutPrefix(d.Message, "expected ")
	switch name, isMissing := strings.CutPrefix(expected, "required property "); {
	case isMissing:
		name, _, _ = strings.Cut(name, " ")
		f.Loc = append(f.Loc, name)
		f.Msg, f.Type = "Field required", "missing"
	case strings.HasPrefix(d.Message, "required "):
		f.Msg, f.Type = "Field required", "missing"
	case known:
		f.Msg, f.Type = "Expected "+expected, "value_error"
		if !strings.Contains(expected, " ") {
			f.Type = expected + "_type"
		}
	case d.Location == "body":
		f.Msg, f.Type = "The body must be a JSON object in UTF-8, sent as application/json", "json_invalid"
	default:
		f.Msg, f.Type = "Invalid value", "value_error"
	}
	return f
}

// location reads huma's "body.roles[0]" into its steps.
func location(path string) []any {
	var loc []any
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if n, err := strconv.Atoi(step); err == nil {
			loc = append(loc, n)
			continue
		}
		loc = append(loc, step)
	}
	return loc
}

// writeRefusal answers outside huma with what refusal returned.
func writeRefusal(w http.ResponseWriter, err error) {
	switch e := err.(type) {
	case *web.Problem:
		e.Write(w)
	case *invalid:
		web.WriteJSON(w, e.GetStatus(), e)
	}
}

var errNotJSON = errors.New("not JSON in UTF-8, or of too many values")

// maxCommas bounds how many values a body has, each of which is looked at.
const maxCommas = 4096

// unmarshal is json.Unmarshal, which would replace what is not UTF-8.
func unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) || bytes.Count(data, []byte(",")) > maxCommas {
		return errNotJSON
	}
	return json.Unmarshal(data, v)
}
