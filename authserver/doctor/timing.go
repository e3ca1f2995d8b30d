package doctor

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

func timingChecks() []check {
	return []check{
		{"PWD-004", "ASVS 6.3.8", "L3/MUST here", "an unknown user is refused as slowly as a wrong password", []need{login, slowly}, func(ctx context.Context, s *subject) error {
			stranger := s.nearestStranger(ctx)
			return s.indistinct(ctx, "400",
				func() answer { return s.guess(ctx, s.user.Username, wrongPassword) },
				func() answer { return s.guess(ctx, stranger, wrongPassword) })
		}},
		{"CLI-007", "RFC6749 §5.2", "MUST", "an unknown client is refused as slowly as a wrong secret", []need{token, confidential, slowly}, func(ctx context.Context, s *subject) error {
			refuse := func(id string) func() answer {
				return func() answer {
					return s.post(ctx, s.metadata.token, basic(id, wrongSecret), "grant_type", "client_credentials")
				}
			}
			return s.indistinct(ctx, "401", refuse(s.conf.ID), refuse("no-such-client"))
		}},
	}
}

// nearestStranger is the unknown name whose refusal takes most nearly as long as
// the user's, of forty. Where users' hashes are of several kinds, unknown names are
// refused as slowly as one of these users each, and not all as slowly as this one.
func (s *subject) nearestStranger(ctx context.Context) (nearest string) {
	quickest := func(name string) time.Duration {
		least := time.Duration(math.MaxInt64)
		for range 3 {
			least = min(least, s.guess(ctx, name, wrongPassword).took)
		}
		return least
	}
	user, distance := quickest(s.user.Username), time.Duration(math.MaxInt64)
	for i := range 40 {
		name := fmt.Sprint("no-such-user-", i)
		if d := (quickest(name) - user).Abs(); d < distance {
			nearest, distance = name, d
		}
	}
	return nearest
}

// indistinct asks in two ways, in turns of which chance says who goes first, and
// wants the answers to take so alike that nobody can tell one from the other.
func (s *subject) indistinct(ctx context.Context, want string, ways ...func() answer) error {
	took := make([][]time.Duration, len(ways))
	const warm = 20 // connections, caches, and what the issuer makes when first asked
	for i := range s.Samples + warm {
		for _, k := range rand.Perm(len(ways)) {
			a := ways[k]()
			if err := a.is(want); err != nil {
				return err
			}
			if i >= warm {
				took[k] = append(took[k], a.took)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	c := compare(took[0], took[1])
	if !c.same() {
		return fmt.Errorf("the two can be told apart by %d answers each: %s", s.Samples, c)
	}
	return &noted{fmt.Sprintf("%d answers each: %s", s.Samples, c)}
}
