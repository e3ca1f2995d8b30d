package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// usageError is a fault in how a command was called; its exit code is 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// plainError is an error whose text is the whole answer; its cause is kept for
// errors.Is alone.
type plainError struct {
	text  string
	cause error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.cause }

// about gives a look-up that found nothing its words; other errors stay.
func about(err error, format string, args ...any) error {
	if errors.Is(err, authserver.ErrNotFound) {
		return &plainError{fmt.Sprintf(format, args...), err}
	}
	return err
}

// stuck gives an error of a database that does not answer its way out.
func stuck(err error) error {
	if _, told := errors.AsType[*plainError](err); told {
		return err
	}
	if errors.Is(err, authserver.ErrUnavailable) {
		return &plainError{fmt.Sprintf("the database does not answer (%s): see whether another program holds it, and run this again", reasonOf(err)), err}
	}
	return err
}

// sentence is what a person is told about err.
func sentence(err error) string {
	if plain, ok := errors.AsType[*plainError](err); ok {
		return plain.text
	}
	switch {
	case errors.Is(err, authserver.ErrEmailTaken):
		return "another user has that e-mail address; see: tokenwright user list"
	case errors.Is(err, authserver.ErrUsernameTaken):
		return "another user has that name; see: tokenwright user list"
	}
	return err.Error()
}

// reasonOf is the last and plainest of the errors that err wraps.
func reasonOf(err error) string {
	for {
		inner := errors.Unwrap(err)
		if many, ok := err.(interface{ Unwrap() []error }); ok && len(many.Unwrap()) > 0 {
			all := many.Unwrap()
			inner = all[len(all)-1]
		}
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// stamp is the form of a time in what commands print.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// joined is a scope value of names (RFC 6749 §3.3).
func joined(names []string) string { return strings.Join(names, " ") }
