package web

import (
	"encoding/json"
	"net/http"
)

// Problem is an answer that refuses, in the form of every route outside /oauth:
// {"detail": …}. Its words are written by us, never taken from an error's text.
type Problem struct {
	Detail string `json:"detail" example:"Not authenticated"`
	status int
	header http.Header
}

// NewProblem returns a Problem without headers of its own.
func NewProblem(status int, detail string) *Problem {
	return &Problem{Detail: detail, status: status, header: http.Header{}}
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the status of the answer; the name is huma's.
func (p *Problem) GetStatus() int { return p.status }

// GetHeaders are those that go with the answer; the name is huma's.
func (p *Problem) GetHeaders() http.Header { return p.header }

// With sets a header and returns p.
func (p *Problem) With(name, value string) *Problem {
	p.header.Set(name, value)
	return p
}

// Write answers with p.
func (p *Problem) Write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	WriteJSON(w, p.status, p)
}

// WriteJSON answers with v, which must be one that JSON can say.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// What cannot be written has nobody to read it.
	_ = json.NewEncoder(w).Encode(v)
}

// TooLarge is the answer to a body over Settings.MaxBody.
func TooLarge() *Problem {
	return NewProblem(http.StatusRequestEntityTooLarge, "Request body too large")
}

// InternalError is the answer to what no caller can help.
func InternalError() *Problem {
	return NewProblem(http.StatusInternalServerError, "Internal Server Error")
}
