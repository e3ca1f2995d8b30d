package doctor

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitReason `xml:"failure,omitempty"`
	Skipped *junitReason `xml:"skipped,omitempty"`
	Output  string       `xml:"system-out,omitempty"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"` // the level of what fails
}

// WriteJUnit writes the report in the XML that build servers read. What should
// hold and does not is a failure there too.
func (r Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{Name: "tokenwright doctor " + r.Issuer, Tests: len(r.Results)}
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	var total time.Duration
	for _, x := range r.Results {
		family, _, _ := strings.Cut(x.ID, "-")
		c := junitCase{Class: family, Name: fmt.Sprintf("%s %s (%s)", x.ID, x.Title, x.Clause), Time: seconds(x.Elapsed)}
		switch x.Verdict {
		case Fail:
			suite.Failures++
			c.Failure = &junitReason{x.Reason, x.Level}
		case NotApplicable:
			suite.Skipped++
			c.Skipped = &junitReason{Message: x.Reason}
		default:
			c.Output = x.Reason
		}
		total += x.Elapsed
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}
