package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/seal"
)

// Label is that of the box that facts are sealed in.
const Label = "outbox"

// Item is one thing to be sent. Kind and ID name it.
type Item struct {
	Kind string
	ID   string
	// Receiver is whoever it goes to: those that hang are told by it.
	Receiver string
	// Facts are sealed: see Seal.
	Facts   string
	FirstAt time.Time
	// DueAt is when it is tried next or, while it is claimed, when another server
	// takes it over.
	DueAt time.Time
	// Tries that have failed, and why the last one did.
	Tries   int
	Failure string
	// Claim names the try that is under way; empty if none is.
	Claim string
}

// Seal seals what an item of that kind and id is made of.
func Seal(box seal.Box, kind, id string, facts any) (string, error) {
	plain, err := json.Marshal(facts)
	if err != nil {
		return "", fmt.Errorf("encode facts: %w", err)
	}
	return box.SealText(plain, []byte(kind+" "+id)), nil
}

// Query asks for items that are due.
type Query struct {
	Kinds []string
	// Claim is the mark of whoever asks, who has them until Until.
	Claim string
	Until time.Time
	// Most is how many in all, and PerReceiver of one receiver.
	Most, PerReceiver int
	// Only are the receivers asked for, and Except those not: at most one is set.
	Only, Except []string
}

// Store keeps items. It is safe for concurrent use, by several servers.
type Store interface {
	// ClaimItems takes items that are due, those that have been so for longest
	// first. No other claim has them before Until.
	ClaimItems(ctx context.Context, q Query) ([]Item, error)
	// FinishItem forgets an item that is still claimed as i says, and writes the
	// events with it in one transaction. If it is not, nothing happens.
	FinishItem(ctx context.Context, i Item, e ...authserver.Event) error
	// PostponeItem gives an item that is still claimed as i says back, with i's
	// Tries, Failure and DueAt.
	PostponeItem(ctx context.Context, i Item) error
	// WaitingItems says how many there are, and since when the oldest is.
	WaitingItems(ctx context.Context) (n int, oldest time.Time, err error)
}
