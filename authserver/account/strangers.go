package account

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tokenwright/tokenwright/authserver/password"
)

// Strangers sees to it that a login under nobody's name takes the time of a
// user's: it learns how the users' passwords are hashed and has the Hasher imitate
// that. It is not safe for concurrent use.
type Strangers struct {
	d     Deps
	found password.Formats
	last  int64 // id
}

const (
	hashesAtOnce = 1000 // that one statement reads
	// New users are looked for often, since an import brings many at once; all are
	// looked at again seldom, for those whose hash was replaced or who were removed.
	learnNewEvery = 5 * time.Second
	learnAllEvery = time.Hour
)

// NewStrangers returns Strangers who know of no user.
func NewStrangers(d Deps) *Strangers { return &Strangers{d: d} }

// Learn looks at further users, in the order of their ids and about most of them,
// and has them imitated with those before.
func (s *Strangers) Learn(ctx context.Context, most int) error {
	var learnt int
	for learnt < most {
		hashes, last, err := s.d.Users.PasswordHashes(ctx, s.last, hashesAtOnce)
		if err != nil {
			return fmt.Errorf("learn formats: %w", err)
		}
		if len(hashes) == 0 {
			break
		}
		for _, hash := range hashes {
			s.found.Add(hash)
		}
		s.last, learnt = last, learnt+len(hashes)
	}
	if learnt > 0 {
		s.d.Hasher.Imitate(s.found)
	}
	return nil
}

// Run learns until ctx ends.
func (s *Strangers) Run(ctx context.Context) {
	tick := time.NewTicker(learnNewEvery)
	defer tick.Stop()
	for again := time.Now().Add(learnAllEvery); ; {
		if err := s.Learn(ctx, math.MaxInt); err != nil && ctx.Err() == nil {
			s.d.Logger.ErrorContext(ctx, "logins of unknown names may take another time than users'", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := time.Now(); now.After(again) {
			again = now.Add(learnAllEvery)
			s.found, s.last = password.Formats{}, 0
		}
	}
}
