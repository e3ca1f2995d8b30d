package pages

import (
	"slices"
	"time"
)

// Register asks for a new account. It posts username, email, full_name, password
// and Hidden.
type Register struct {
	Common
	Action     string
	Hidden     []Field
	Username   string
	Email      string
	FullName   string
	Problem    Problem // of the form as a whole
	RetryAfter time.Duration
	Faults     []Fault
	LoginURL   string
}

// Fault is what is wrong with one field.
type Fault struct {
	Field string // as it is posted
	// Type and Message are those of an account.InvalidError; "taken" besides.
	// Message is shown as it is where there is no text for Field and Type.
	Type    string
	Message string
}

// input is one field of the form that people fill in.
type input struct {
	Name, Type, Value      string
	Autocomplete, Capitals string
	Required, Focus        bool
	Fault                  Fault // the zero value: none
}

func (p Register) view() view {
	inputs := []input{
		{Name: "username", Type: "text", Value: p.Username, Autocomplete: "username", Capitals: "none", Required: true},
		{Name: "email", Type: "email", Value: p.Email, Autocomplete: "email", Capitals: "none", Required: true},
		{Name: "full_name", Type: "text", Value: p.FullName, Autocomplete: "name", Capitals: "words"},
		{Name: "password", Type: "password", Autocomplete: "new-password", Capitals: "none", Required: true},
	}
	for i := range inputs {
		for _, f := range p.Faults {
			if f.Field == inputs[i].Name {
				inputs[i].Fault = f
			}
		}
	}
	inputs[firstFault(inputs)].Focus = true
	return view{name: "register", script: "password.js", retryAfter: p.RetryAfter, data: struct {
		Register
		Inputs []input
	}{p, inputs}}
}

// firstFault is where to go on: the first field that is wrong, or the first.
func firstFault(inputs []input) int {
	return max(0, slices.IndexFunc(inputs, func(in input) bool { return in.Fault.Field != "" }))
}
