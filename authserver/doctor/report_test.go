package doctor_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

func report() doctor.Report {
	line := func(id, level string, v doctor.Verdict, reason string) doctor.Result {
		return doctor.Result{ID: id, Clause: "RFC6749 §3.2", Level: level, Title: "it does <what> it says", Verdict: v, Reason: reason, Elapsed: time.Millisecond}
	}
	return doctor.Report{
		Issuer: "https://issuer.example",
		Results: []doctor.Result{
			line("TOK-001", "MUST", doctor.Pass, ""),
			line("TOK-002", "MUST NOT", doctor.Fail, "got 200, want 400"),
			line("TOK-003", "SHOULD", doctor.Fail, "got 500, want 400"),
			line("TOK-004", "MUST", doctor.NotApplicable, "no user"),
			line("CLI-007", "MUST", doctor.Pass, ""),
			line("CLI-007", "MUST", doctor.NotApplicable, "takes long"),
		},
		Unseen: []doctor.Unseen{{Why: "takes days", IDs: []string{"REF-017", "REF-018"}}},
	}
}

func TestReport(t *testing.T) {
	r := report()
	t.Run("what should hold and does not is no failure of the issuer", func(t *testing.T) {
		if got := r.Failed(); got != 1 {
			t.Errorf("got %d, want TOK-002 alone", got)
		}
	})
	t.Run("the text has a line for each result and counts lines once", func(t *testing.T) {
		var b strings.Builder
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"fail            TOK-002  MUST NOT  it does <what> it says (RFC6749 §3.2): got 200, want 400\n",
			"2 pass, 2 fail (1 that must not), 2 not applicable\n4 of 7 lines were tried; 5 can be seen from outside\n",
		} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in\n%s", want, b.String())
			}
		}
	})
	t.Run("the JSON says the same", func(t *testing.T) {
		var b strings.Builder
		if err := r.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		var back doctor.Report
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil || len(back.Results) != 6 || back.Results[1] != r.Results[1] {
			t.Errorf("got %+v, %v", back, err)
		}
	})
	t.Run("the XML is a suite of cases", func(t *testing.T) {
		var b strings.Builder
		if err := r.WriteJUnit(&b); err != nil {
			t.Fatal(err)
		}
		var suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		}
		if err := xml.Unmarshal([]byte(b.String()), &suite); err != nil {
			t.Fatal(err)
		}
		if suite.Tests != 6 || suite.Failures != 2 || suite.Skipped != 2 || len(suite.Cases) != 6 ||
			suite.Cases[0].Failure != nil || suite.Cases[1].Failure == nil || suite.Cases[1].Failure.Message != "got 200, want 400" {
			t.Errorf("got %+v", suite)
		}
	})
}
