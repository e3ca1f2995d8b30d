package doctor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

func timingChecks() []check {
	return []check{
		{"PWD-004", "ASVS 6.3.8", "L3/MUST here", "an unknown user is refused as slowly as a wrong password", []need{login, slowly}, func(ctx context.Context, s *subject) error {
			return s.indistinct(ctx, "400",
				func() answer { return s.guess(ctx, s.user.Username, wrongPassword) },
				func() answer { return s.guess(ctx, "no-such-user", wrongPassword) })
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
