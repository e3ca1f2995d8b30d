package history

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
)

// first is the counter of a session's first refresh token. One that was opened by
// an authorization code has that as its number zero.
const first = 1

// slots is how many sessions the user of one history may open.
const slots = 10

type act int

const (
	login     act = iota
	authorize     // a session is opened by a code, for whoever redeems that
	refresh       // of token 0 it is the redemption
	revoke
	logout
	endOthers // a user ends all sessions but the one that asks
	change    // the same, and the password is another
	setRoles  // see roles_test.go
	use       // an access token is presented
	disable
	enable
	lose     // the session store goes back to an earlier record
	failover // another session store takes over, with all that it has
)

func (a act) String() string {
	return [...]string{"login", "authorize", "refresh", "revoke", "logout", "end others", "change password", "set roles", "use", "disable", "enable", "lose", "failover"}[a]
}

// call is one operation on the sessions of one user.
type call struct {
	act   act
	slot  int
	token uint32 // the counter of the refresh token that is presented
	// asked is whether the session store was: a refresh that the database
	// refuses never gets there. now is the time that the store was then told, in
	// milliseconds; servers' clocks differ.
	asked  bool
	now    int64
	grace  time.Duration
	phrase int // which of phrases is given
	// editor is whether the user is made one, or is one as an access token says.
	// saysEditor is whether there is such a token.
	editor, saysEditor bool
	// crossed is whether a login was under way while the user's sessions were
	// ended, or roles taken away.
	crossed bool
	lost    *rewind        // what the store goes back to
	kept    map[int]record // by slot, what the store has that takes over
}

// answer is what the client is told. A client that hung up, whose server died or
// whose server could not reach its stores is told nothing, and the call may have
// taken effect or not, or may do so later.
type answer struct {
	nothing bool
	granted bool
	token   uint32 // the counter of the refresh token that is given
}

// record is what the session store keeps of one session, as far as it decides.
type record struct {
	counter uint32
	rotated int64 // milliseconds
}

// session is one user's session: ended is the database's to say, gone the session
// store's.
type session struct {
	open, ended, gone bool
	record
}

// user is the state that the rule speaks of.
type user struct {
	disabled bool
	phrase   int
	sessions [slots]session
}

// model is section 5 of the contract for one user, one step at a time.
var model = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{user{}} },
	Step: func(state, input, output any) []any {
		before, c, a := state.(user), input.(call), output.(answer)
		after, want := before.step(c)
		if a.nothing {
			// The store was asked, or the call never came so far as to decide.
			if c.act == refresh && !c.asked || after == before {
				return []any{before}
			}
			return []any{before, after}
		}
		// An access token may be refused for its role; a good one is of a session
		// that has not ended.
		if c.act == use {
			if a.granted && before.sessions[c.slot].ended {
				return nil
			}
			return []any{before}
		}
		// The access token of a session that has ended may be refused. It may also
		// still be good: a resource server learns of an ending a moment later.
		if a == (answer{}) && c.act == logout && before.sessions[c.slot].ended {
			return []any{before}
		}
		// What a login was decided on no longer held when its session was open.
		if a == (answer{}) && (c.act == login || c.act == authorize) && c.crossed {
			return []any{before}
		}
		if a != want {
			return nil
		}
		return []any{after}
	},
	DescribeOperation: func(input, output any) string {
		c, a := input.(call), output.(answer)
		return fmt.Sprintf("%v %d.%d at %d → %v %d", c.act, c.slot, c.token, c.now, a.granted, a.token)
	},
}).ToModel()

// step says what becomes of u, and what the client is told.
func (u user) step(c call) (user, answer) {
	s := &u.sessions[c.slot]
	switch c.act {
	case login, authorize:
		if u.disabled || u.phrase != c.phrase {
			return u, answer{}
		}
		*s = session{open: true}
		if c.act == login {
			s.counter = first
		}
		return u, answer{granted: true, token: s.counter}
	case refresh:
		if u.disabled || s.ended {
			return u, answer{}
		}
		if !c.asked { // alive, and refused without a look at it
			return u, answer{granted: true}
		}
		if s.gone {
			return u, answer{}
		}
		return u, s.present(c)
	case revoke, logout:
		s.ended = true
	case endOthers, change:
		if s.ended || c.act == change && u.phrase != c.phrase { // it changes nothing
			return u, answer{}
		}
		if c.act == change {
			u.phrase = 1 - u.phrase
		}
		for i := range u.sessions {
			if u.sessions[i].open && i != c.slot {
				u.sessions[i].ended = true
			}
		}
	case disable:
		u.disabled = true
		for i := range u.sessions {
			if u.sessions[i].open {
				u.sessions[i].ended = true
			}
		}
	case enable:
		u.disabled = false
	case lose:
		s.record = c.lost.record
	case failover:
		for i := range u.sessions {
			kept, ok := c.kept[i]
			u.sessions[i].record, u.sessions[i].gone = kept, !ok
		}
	}
	return u, answer{granted: true}
}

// present is the table of the contract: counter k presented, session at n.
func (s *session) present(c call) answer {
	k, n := c.token, s.counter
	switch {
	case k >= n: // or the store had lost writes
		s.record = record{k + 1, c.now}
		return answer{granted: true, token: k + 1}
	case k+1 == n && c.grace > 0 && time.Duration(c.now-s.rotated)*time.Millisecond <= c.grace:
		return answer{granted: true, token: n}
	}
	s.ended = true
	return answer{}
}
