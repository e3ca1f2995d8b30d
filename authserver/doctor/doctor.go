// Package doctor examines a running issuer from outside: it asks over HTTP what
// anyone could ask, with the clients and users that it is given, and says which
// lines of the acceptance list hold. The issuer may be anybody's; nothing here
// knows how ours is made, and nothing is imported from it.
//
// An examination opens sessions and ends them again where the issuer lets it. It
// registers nobody and changes no account, and gives fewer wrong passwords and
// secrets than the usual limits allow in a minute.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Options say whom to examine and with what.
type Options struct {
	// Issuer is the issuer identifier, without a slash at its end.
	Issuer   string
	Fixtures Fixtures
	// Timing runs what takes minutes too: the statistics of answers that must
	// not differ in how long they take, and what has to be waited for.
	Timing bool
	// Samples are how many answers of each kind the statistics take; 0 is 500.
	Samples int
	// Only are the ids of the lines to try; empty tries all.
	Only []string
}

// check is one line of the acceptance list as far as it can be seen from outside.
type check struct {
	id, clause, level, title string
	// needs are what the fixtures must have or the issuer must offer.
	needs []need
	run   func(ctx context.Context, s *subject) error
}

// A check's error is a failure, unless it is one of these two.
type (
	// unmet says why a line cannot be decided.
	unmet struct{ reason string }
	// noted says what to know about a line that holds.
	noted struct{ text string }
)

func (e *unmet) Error() string { return e.reason }
func (e *noted) Error() string { return e.text }

// Run examines the issuer. An error means that nothing could be examined: nobody
// answers there, or ctx has ended.
func Run(ctx context.Context, o Options) (Report, error) {
	for _, id := range o.Only {
		if !slices.ContainsFunc(checks(), func(c check) bool { return c.id == id }) {
			return Report{}, fmt.Errorf("no line that can be seen from outside is called %s: give an id such as TOK-001", id)
		}
	}
	if o.Samples == 0 {
		o.Samples = 500
	}
	o.Fixtures.Pages = o.Fixtures.Pages.orUsual()
	s := &subject{
		Options: o,
		http: &http.Client{
			Timeout:       30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if err := s.meet(ctx); err != nil {
		return Report{}, err
	}
	report := Report{Issuer: o.Issuer}
	if len(o.Only) == 0 {
		report.Unseen = unseen()
	}
	for _, c := range checks() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, c.id) {
			continue
		}
		report.Results = append(report.Results, s.examine(ctx, c))
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
	}
	s.leave(ctx)
	return report, nil
}

// checks are in the order in which they run; what looks at all answers is last.
func checks() []check {
	return slices.Concat(
		metadataChecks(), keyChecks(), tokenChecks(), scopeChecks(), crossOriginChecks(), clientChecks(), passwordChecks(),
		refreshChecks(), rotationChecks(), credentialsChecks(), jwtChecks(), introspectChecks(), revokeChecks(),
		resourceChecks(), challengeChecks(), forgedChecks(), feedChecks(), accountChecks(),
		authorizeChecks(), answerToChecks(), codeChecks(), pushedChecks(), personChecks(), consentChecks(), pageChecks(),
		openidChecks(), logoutChecks(), timingChecks(), answerChecks(),
	)
}

func (s *subject) examine(ctx context.Context, c check) Result {
	r := Result{ID: c.id, Clause: c.clause, Level: c.level, Title: c.title, Verdict: Pass}
	for _, n := range c.needs {
		if reason := s.lacks(n); reason != "" {
			r.Verdict, r.Reason = NotApplicable, reason
			return r
		}
	}
	start := time.Now()
	err := c.run(ctx, s)
	r.Elapsed = time.Since(start)
	if e, ok := errors.AsType[*unmet](err); ok {
		r.Verdict, r.Reason = NotApplicable, e.reason
	} else if e, ok := errors.AsType[*noted](err); ok {
		r.Reason = e.text
	} else if err != nil {
		r.Verdict, r.Reason = Fail, strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return r
}
