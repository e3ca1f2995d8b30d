// Package bench measures a running issuer from outside: closed loops of requests
// over connections that are kept, one kind of request after the other, so that
// an operator learns what a machine holds. The issuer may be anybody's.
//
// It opens sessions and leaves those of its logins behind: give it an issuer for
// trials.
package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/authserver/doctor"
)

// Options say whom to measure, with what and for how long.
type Options struct {
	// Issuer is the issuer identifier, without a slash at its end.
	Issuer   string
	Fixtures doctor.Fixtures
	// Only are the operations to measure; empty measures all that can be.
	Only []string
	// Connections is how many requests are under way at any time.
	Connections int
	// Duration is how long each operation is measured.
	Duration time.Duration
	// Progress hears once a second how far an operation is; nil hears nothing.
	Progress func(operation string, elapsed time.Duration, requests int)
}

// Result is what one operation did.
type Result struct {
	Operation string `json:"operation"`
	// Unmeasured says why there are no figures.
	Unmeasured string `json:"unmeasured,omitempty"`
	// Requests are those that were answered as they should be.
	Requests  int     `json:"requests"`
	PerSecond float64 `json:"requests_per_second"`
	// Latencies are of answers that were as they should be, in microseconds.
	P50  int64 `json:"p50_us"`
	P99  int64 `json:"p99_us"`
	P999 int64 `json:"p999_us"`
	Max  int64 `json:"max_us"`
	// Errors counts what was answered instead, by status or by what went wrong.
	Errors map[string]int `json:"errors,omitempty"`
	// CPU is the server's time per request in microseconds, and Memory its
	// resident set at the end in bytes; 0 where the server cannot be seen.
	CPU    int64 `json:"server_cpu_us,omitempty"`
	Memory int64 `json:"server_memory_bytes,omitempty"`
}

// Failed is how many requests were answered otherwise than they should be.
func (r Result) Failed() int {
	n := 0
	for _, times := range r.Errors {
		n += times
	}
	return n
}

// request does one request of a worker's loop. Its error is what the answer
// counts as.
type request func(ctx context.Context) error

// operation is a kind of request.
type operation struct {
	name string
	// lacks says why it cannot be measured, or nothing.
	lacks func(*target) string
	// worker prepares one connection's loop; what it does is not measured.
	worker func(ctx context.Context, t *target) (request, error)
}

// Run measures one operation after the other. An error means that nobody answers
// as an issuer there, that an operation has no such name, or that ctx has ended.
func Run(ctx context.Context, o Options) ([]Result, error) {
	for _, name := range o.Only {
		if !slices.ContainsFunc(operations, func(op operation) bool { return op.name == name }) {
			return nil, fmt.Errorf("no operation is called %q: give some of %s", name, strings.Join(Operations(), ", "))
		}
	}
	t := &target{fixtures: o.Fixtures, http: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: o.Connections, MaxConnsPerHost: o.Connections},
	}}
	defer t.http.CloseIdleConnections()
	if err := t.meet(ctx, o.Issuer); err != nil {
		return nil, err
	}
	server := serverAt(o.Issuer)
	var results []Result
	for _, op := range operations {
		if len(o.Only) > 0 && !slices.Contains(o.Only, op.name) {
			continue
		}
		result := Result{Operation: op.name, Unmeasured: op.lacks(t)}
		if result.Unmeasured == "" {
			result = measure(ctx, t, op, o, server)
		}
		results = append(results, result)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// measure runs op's loops side by side for the duration.
func measure(ctx context.Context, t *target, op operation, o Options, server *process) Result {
	workers := make([]request, o.Connections)
	for i := range workers {
		var err error
		if workers[i], err = op.worker(ctx, t); err != nil {
			return Result{Operation: op.name, Unmeasured: fmt.Sprintf("could not begin: %v", err)}
		}
	}
	tallies := make([]tally, len(workers))
	before := server.cpu()
	start := time.Now()
	end := start.Add(o.Duration)
	var loops sync.WaitGroup
	for i, do := range workers {
		loops.Go(func() {
			for began := start; began.Before(end) && ctx.Err() == nil; began = time.Now() {
				err := do(ctx)
				tallies[i].add(time.Since(began), err)
			}
		})
	}
	stop := report(op.name, start, o.Progress, tallies)
	loops.Wait()
	elapsed := time.Since(start)
	stop()
	result := summary(op.name, tallies, elapsed)
	if sent := result.Requests + result.Failed(); sent > 0 {
		result.CPU = (server.cpu() - before).Microseconds() / int64(sent)
	}
	result.Memory = server.memory()
	return result
}

// report tells progress once a second until the function that it returns is called.
func report(name string, start time.Time, progress func(string, time.Duration, int), tallies []tally) (stop func()) {
	if progress == nil {
		return func() {}
	}
	done := make(chan struct{})
	var told sync.WaitGroup
	told.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				n := 0
				for i := range tallies {
					n += tallies[i].answered()
				}
				progress(name, time.Since(start), n)
			}
		}
	})
	return func() { close(done); told.Wait() }
}
