package keys

import "time"

// SigningSince is when the key that signs now signed its first token; zero with
// HS256, whose key is as old as SECRET_KEY.
func (r *Ring) SigningSince() time.Time {
	s := r.set.Load()
	for _, k := range s.stored {
		if k.KID == s.active.ID {
			return k.Begins()
		}
	}
	return time.Time{}
}
