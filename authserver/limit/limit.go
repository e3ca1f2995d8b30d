// Package limit owns how often something may happen: rules and the counting of
// events by key. What counts as an event, and what is answered to one too many,
// is its caller's.
package limit

import (
	"context"
	"net/netip"
	"time"
)

// Limiter counts events by key. It is safe for concurrent use, and parallel
// callers together never get more than a rule allows.
type Limiter interface {
	// Take spends one of key's allowance under r. An error means that the
	// limiter could not tell; the caller decides whether to let the event pass.
	Take(ctx context.Context, r Rule, key string) (Decision, error)
	// Return gives back one that Take allowed.
	Return(ctx context.Context, r Rule, key string) error
}

// Rule allows Burst events at once, and then one in every Per/Burst: never more
// than 2×Burst in any Per. The zero Rule allows everything.
type Rule struct {
	// Name keeps apart the keys of different rules.
	Name  string
	Burst int
	Per   time.Duration
}

// Decision is what Take says.
type Decision struct {
	Allowed bool
	// RetryAfter is how long until the same event would be allowed, if nothing
	// else happens; 0 if this one was.
	RetryAfter time.Duration
}

// ExceededError says that something has happened too often.
type ExceededError struct {
	RetryAfter time.Duration
}

func (*ExceededError) Error() string { return "too many attempts" }

// Off reports whether r allows everything.
func (r Rule) Off() bool { return r.Burst <= 0 || r.Per <= 0 }

// Interval is how long one event's allowance takes to come back.
// r must not be off.
func (r Rule) Interval() time.Duration { return max(1, r.Per/time.Duration(r.Burst)) }

// Block is a range of addresses that count together.
type Block struct {
	Key string
	// times is how often the allowance of the least block it has.
	times int
}

// Blocks are those that an address counts in: an IPv4 address by itself, an IPv6
// address in its /64, its /56 and its /48. Whoever has one address of a /64 has
// all, and many have a /56 or a /48; each is 256 times the one before, and has
// twice its allowance. What is no address counts under itself.
func Blocks(ip string) []Block {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return []Block{{ip, 1}}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return []Block{{addr.String(), 1}}
	}
	blocks := make([]Block, 3)
	for i, bits := range []int{64, 56, 48} {
		blocks[i] = Block{netip.PrefixFrom(addr, bits).Masked().String(), 1 << i}
	}
	return blocks
}

// Rule is r for all of the block.
func (b Block) Rule(r Rule) Rule {
	r.Burst *= b.times
	return r
}
