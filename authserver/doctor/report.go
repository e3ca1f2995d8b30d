package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Verdict is what became of a check.
type Verdict string

// The verdicts, in the words of the report.
const (
	Pass          Verdict = "pass"
	Fail          Verdict = "fail"
	NotApplicable Verdict = "not applicable"
)

// Result is one check's.
type Result struct {
	ID      string  `json:"id"`
	Clause  string  `json:"clause"`
	Level   string  `json:"level"`
	Title   string  `json:"title"`
	Verdict Verdict `json:"verdict"`
	// Reason is why it fails or does not apply, or what to know of one that
	// passes; mostly empty then.
	Reason  string        `json:"reason,omitempty"`
	Elapsed time.Duration `json:"elapsed_ns"`
}

// must says whether the line has to hold, and not merely should.
func (r Result) must() bool { return strings.Contains(r.Level, "MUST") }

// Report is an examination's.
type Report struct {
	Issuer  string   `json:"issuer"`
	Results []Result `json:"results"`
	// Unseen are the lines of the core that nobody can see from outside, by why;
	// nil if only some lines were asked for.
	Unseen []Unseen `json:"unseen,omitempty"`
}

// Failed counts the results that fail though they must not.
func (r Report) Failed() int {
	n := 0
	for _, x := range r.Results {
		if x.Verdict == Fail && x.must() {
			n++
		}
	}
	return n
}

// counts are lines, of which some have more than one result.
func (r Report) counts() (ran, seen, all int) {
	applied := map[string]bool{}
	for _, x := range r.Results {
		applied[x.ID] = applied[x.ID] || x.Verdict != NotApplicable
	}
	for _, did := range applied {
		if did {
			ran++
		}
	}
	all = len(applied)
	for _, u := range r.Unseen {
		all += len(u.IDs)
	}
	return ran, len(applied), all
}

// WriteText writes a line for each result, and one that counts them.
func (r Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	number := map[Verdict]int{}
	for _, x := range r.Results {
		number[x.Verdict]++
		title := fmt.Sprintf("%s (%s)", x.Title, x.Clause)
		if x.Reason != "" {
			title += ": " + x.Reason
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.Verdict, x.ID, x.Level, title)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s: %d pass, %d fail (%d that must not), %d not applicable\n",
		r.Issuer, number[Pass], number[Fail], r.Failed(), number[NotApplicable])
	if err != nil || r.Unseen == nil {
		return err
	}
	ran, seen, all := r.counts()
	_, err = fmt.Fprintf(w, "%d of %d lines were tried; %d can be seen from outside\n", ran, all, seen)
	return err
}

// WriteJSON writes the report as an object.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
