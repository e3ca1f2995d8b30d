// Package upgrade proves that one version can take another's place: on its data,
// beside it on one database, and while it serves.
//
// Three programs are built: the version before from its commit, today's, and the
// next, which is today's with more steps in the schema.
package upgrade

import (
	"flag"
	"testing"
	"time"

	// What the binary is made of: a result is taken from the cache only while
	// that is the same.
	_ "github.com/tokenwright/tokenwright/authserver/cli"
	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
	"github.com/tokenwright/tokenwright/authserver/sqlstore/pgtest"
	"github.com/tokenwright/tokenwright/e2e/program"
)

var proof = flag.Bool("proof", false, "run at full size: on four kinds of deployment, with 30 lives per client and phase")

// bound is how long after its answer a change may be unknown to another server:
// a second by RSV-035, more beside other packages' tests on the same processors.
func bound() time.Duration {
	if *proof {
		return time.Second
	}
	return 5 * time.Second
}

// versions are the programs that follow one another.
type versions struct{ previous, today, next program.Binary }

func TestUpgrade(t *testing.T) {
	source := checkout(t)
	v := versions{
		previous: build(t, source),
		today:    build(t, root),
		next:     build(t, root, "-overlay", nextSteps(t)),
	}
	for _, place := range []struct {
		name            string
		postgres, redis bool
		full            bool // at full size only
	}{
		{name: "SQLite"},
		{name: "PostgreSQL and Redis", postgres: true, redis: true},
		{name: "SQLite and Redis", redis: true, full: true},
		{name: "PostgreSQL", postgres: true, full: true},
	} {
		if place.full && !*proof {
			continue
		}
		t.Run(place.name, func(t *testing.T) {
			var pg *pgtest.Server
			if place.postgres {
				pg = pgtest.New(t)
			}
			// empty is a deployment without data.
			empty := func(t *testing.T) *home {
				h := newHome(t)
				if pg != nil {
					h.keepIn("pgx", pg.Schema(t))
				}
				if place.redis {
					h.env = append(h.env, "REDIS_URL="+redistest.Start(t))
				}
				return h
			}
			t.Run("the first schema's data under today's binary", func(t *testing.T) {
				takeOver(t, empty(t), v.previous, v.today)
			})
			t.Run("the first schema's data under the next binary", func(t *testing.T) {
				takeOver(t, empty(t), v.previous, v.next)
			})
			t.Run("the old binary on the new schema", func(t *testing.T) {
				outliveMigration(t, empty(t), v)
			})
			t.Run("two versions behind one balancer", func(t *testing.T) {
				replaceUnderLoad(t, empty(t), v)
			})
		})
	}
}
