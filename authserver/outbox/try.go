package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// Kind is a kind of what is sent.
type Kind struct {
	Name string
	// Send tries once, within the time that ctx has. What it sends it makes of the
	// facts anew. An error is a *RefusedError, a *LaterError, or anything else,
	// after which it is tried again.
	Send func(ctx context.Context, facts []byte) error
	// Event is what the audit log is told of an end; nil tells it nothing. Reason
	// is empty if it was sent.
	Event func(facts []byte, o Outcome, reason string) authserver.Event
}

// Outcome is what becomes of an item.
type Outcome string

const (
	Sent    Outcome = "sent"
	Refused Outcome = "refused"  // by an answer after which there is no other try
	GivenUp Outcome = "given_up" // after a day
)

// RefusedError says that it is not to be tried again.
type RefusedError struct {
	// Reason is for log and audit log, and tells no secret.
	Reason string
}

func (e *RefusedError) Error() string { return "refused: " + e.Reason }

// LaterError says that there was an answer, and that it is to be tried again, but
// not before After.
type LaterError struct {
	Reason string
	After  time.Duration
}

func (e *LaterError) Error() string { return "later: " + e.Reason }

// pauses are those after each try; the last goes on.
var pauses = []time.Duration{
	time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

const (
	// tryAll is how long it is tried in all.
	tryAll = 24 * time.Hour
	// mostAfter bounds what a receiver can put it off by.
	mostAfter = time.Hour
)

// pause is how long to wait after the given number of tries have failed, the last
// with err.
func pause(tries int, err error) time.Duration {
	p := pauses[min(tries, len(pauses))-1]
	if later, ok := errors.AsType[*LaterError](err); ok {
		p = max(p, min(later.After, mostAfter))
	}
	return p
}

// try tries once and notes what became of it. It reports whether the receiver
// answered.
func (o *Outbox) try(ctx context.Context, i Item) (heard bool) {
	kind := o.kinds[i.Kind]
	facts, err := o.d.Box.OpenText(i.Facts, []byte(i.Kind+" "+i.ID))
	if err == nil {
		err = o.send(ctx, kind, facts)
	} else {
		err = fmt.Errorf("open facts: %w", err) // a server with the SECRET_KEY may
	}
	refused, never := errors.AsType[*RefusedError](err)
	later, again := errors.AsType[*LaterError](err)
	log := o.d.Logger.With("kind", i.Kind, "receiver", i.Receiver, "id", i.ID)
	switch {
	case err == nil:
		o.finish(ctx, kind, i, facts, Sent, "")
		return true
	case never:
		log.WarnContext(ctx, "not sent, and not tried again", "reason", refused.Reason)
		o.finish(ctx, kind, i, facts, Refused, refused.Reason)
		return true
	}
	i.Tries, i.Failure = i.Tries+1, "no answer"
	if again {
		i.Failure = later.Reason
	}
	now := time.Now()
	i.DueAt = now.Add(pause(i.Tries, err))
	if end := i.FirstAt.Add(tryAll); !now.Before(end) {
		log.ErrorContext(ctx, "not sent for a day, and not tried again", "tries", i.Tries, "reason", i.Failure, "err", err)
		o.finish(ctx, kind, i, facts, GivenUp, i.Failure)
		return again
	} else if i.DueAt.After(end) {
		i.DueAt = end // once more
	}
	log.InfoContext(ctx, "not sent, and tried again", "tries", i.Tries, "due", i.DueAt, "err", err)
	if err := o.d.Store.PostponeItem(ctx, i); err != nil {
		log.WarnContext(ctx, "a try is not noted; it is tried again soon", "err", err)
	}
	return again
}

func (o *Outbox) send(ctx context.Context, kind Kind, facts []byte) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	return kind.Send(ctx, facts)
}

func (o *Outbox) finish(ctx context.Context, kind Kind, i Item, facts []byte, outcome Outcome, reason string) {
	var events []authserver.Event
	if kind.Event != nil {
		events = append(events, kind.Event(facts, outcome, reason))
	}
	o.mu.Lock()
	o.done[Ended{i.Kind, outcome}]++
	o.mu.Unlock()
	// As long as it is this server's: another would send it again.
	err := o.d.Store.FinishItem(ctx, i, events...)
	for err != nil && time.Now().Add(interval).Before(i.DueAt) {
		time.Sleep(interval)
		err = o.d.Store.FinishItem(ctx, i, events...)
	}
	if err != nil {
		o.d.Logger.WarnContext(ctx, "what became of it is not noted; it is tried again soon",
			"kind", i.Kind, "receiver", i.Receiver, "id", i.ID, "outcome", string(outcome), "err", err)
	}
}
