// Package password owns the hashes of passwords: it computes them, checks them,
// and decides how many are computed at once. Rules about what a password may be
// and what a wrong one costs its sender are account's.
//
// A password is bytes: nothing is trimmed, folded or cut off.
package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Hasher hashes and verifies passwords. It is safe for concurrent use; no more
// than Config.Concurrency hashes are computed at any moment. Each computation
// allocates what its parameters ask for (19 MiB by default) and leaves it to
// the garbage collector.
type Hasher struct {
	scheme   scheme // of new hashes
	gate     *gate
	dummy    string // of scheme
	imitated atomic.Pointer[[]imitation]
	dummyKey []byte
	computed atomic.Uint64
}

// The algorithms of new hashes.
const (
	Argon2id = "argon2id" // RFC 9106
	Bcrypt   = "bcrypt"
)

// Config is what a Hasher needs to know. Where zero says nothing by itself, the
// default is named beside the field.
type Config struct {
	Algorithm   string       // Argon2id
	BcryptCost  int          // 12
	Argon2      Argon2Params // m=19456 KiB, t=2, p=1
	Concurrency int          // processors less one, at least 1
	// Queue is how many may wait in all, Wait how long one may. With either zero
	// nobody waits. A stored hash that is dearer to verify than those that are
	// made now counts by what it costs.
	Queue int
	Wait  time.Duration
	// DummyKey decides which of a store's formats an unknown name gets: a secret,
	// the same on all servers and for ever.
	DummyKey []byte
	// OnWait hears of each caller that has to wait for its turn, and what it
	// returns hears how the wait ended: nil is its turn. It may be nil.
	OnWait func(ctx context.Context) (over func(error))
}

var (
	// ErrTooLong says that bcrypt would not see all of a password.
	ErrTooLong = errors.New("password is longer than the 72 bytes that bcrypt takes")
	// ErrNUL says that bcrypt would take a password for others: it repeats the
	// password with a NUL between, so that "a" and "a\x00a" hash alike.
	ErrNUL = errors.New("password has a NUL byte, which bcrypt cannot take")
	// ErrUnknownFormat says that a stored hash cannot be verified: no format
	// known here, or parameters that are beyond what a login may cost.
	ErrUnknownFormat = errors.New("stored password hash has an unknown format or excessive parameters")
)

// scheme is one way to hash, with its parameters. Schemes are comparable: equal
// ones hash at the same cost.
type scheme interface {
	// accepts says why pw cannot be hashed, or nil.
	accepts(pw string) error
	hash(pw string) (string, error)
	// String names the scheme and its parameters.
	String() string
	// dummy makes a hash by this scheme that is not computed from any password.
	dummy() string
	// work is about how long a hash takes: argon2id's memory in KiB × passes.
	work() int64
}

// stored is a hash that was read back.
type stored interface {
	scheme() scheme
	// matches takes as long for every password.
	matches(pw string) bool
}

// New returns a Hasher, or an error that says which parameter is out of range.
func New(c Config) (*Hasher, error) {
	if c.Concurrency == 0 {
		c.Concurrency = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if c.Concurrency < 0 || c.Queue < 0 || c.Wait < 0 {
		return nil, errors.New("password hashing: concurrency, queue and wait must not be negative")
	}
	s, err := newScheme(c)
	if err != nil {
		return nil, fmt.Errorf("password hashing: %w", err)
	}
	g := newGate(c.Concurrency, newQueue(c.Queue, s.work()), c.Wait)
	g.onWait = c.OnWait
	h := &Hasher{scheme: s, gate: g, dummy: s.dummy(), dummyKey: c.DummyKey}
	h.imitated.Store(&[]imitation{})
	return h, nil
}

func newScheme(c Config) (scheme, error) {
	switch c.Algorithm {
	case Argon2id, "":
		return newArgon2id(c.Argon2)
	case Bcrypt:
		return newBcrypt(c.BcryptCost)
	}
	return nil, fmt.Errorf("algorithm %q is neither %s nor %s", c.Algorithm, Argon2id, Bcrypt)
}

// Hash computes the hash to store for pw. With bcrypt it returns ErrTooLong or
// ErrNUL for what bcrypt cannot take; *BusyError if there was no turn in time.
//
// Who asks is told by names, the widest first: network, address, account. Those
// that share a name share what time and room it is given.
func (h *Hasher) Hash(ctx context.Context, pw string, who ...string) (string, error) {
	if err := h.scheme.accepts(pw); err != nil {
		return "", err
	}
	if err := h.gate.enter(ctx, h.scheme.work(), who...); err != nil {
		return "", err
	}
	defer h.gate.leave()
	h.computed.Add(1)
	return h.scheme.hash(pw)
}

// Verify reports whether pw is the password of hash, and if it is, whether hash
// should be replaced because new ones are made by other parameters. ctx counts
// until the computation starts, which then runs to its end. *BusyError if there
// was no turn in time; who asks is told as with Hash.
//
// ErrUnknownFormat is to be answered like a wrong password and told to the
// operator: the time of a check has been spent, at the current cost.
func (h *Hasher) Verify(ctx context.Context, hash, pw string, who ...string) (ok, upgrade bool, err error) {
	s, known := parse(hash)
	if !known {
		s, _ = parse(h.dummy)
	}
	if err := h.gate.enter(ctx, s.scheme().work(), who...); err != nil {
		return false, false, err
	}
	defer h.gate.leave()
	h.computed.Add(1)
	ok = s.matches(pw)
	if !known {
		return false, false, ErrUnknownFormat
	}
	upgrade = ok && s.scheme() != h.scheme && h.scheme.accepts(pw) == nil
	return ok, upgrade, nil
}

// Stats are a Hasher's at one moment.
type Stats struct {
	Computed uint64 // hashes, since the start
	Refused  uint64 // *BusyErrors, since the start
	Waiting  int    // for a slot
	InUse    int    // slots
	Slots    int
}

// Stats may be called at any time.
func (h *Hasher) Stats() Stats {
	h.gate.mu.Lock()
	defer h.gate.mu.Unlock()
	return Stats{
		Computed: h.computed.Load(),
		Refused:  h.gate.refused,
		Waiting:  h.gate.queue.waiting,
		InUse:    h.gate.inUse,
		Slots:    h.gate.slots,
	}
}

// Known reports whether Verify can check passwords against hash.
func Known(hash string) bool {
	_, ok := parse(hash)
	return ok
}

func parse(hash string) (stored, bool) {
	if strings.HasPrefix(hash, "$argon2id$") {
		return parseArgon2id(hash)
	}
	return parseBcrypt(hash)
}
