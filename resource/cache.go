package resource

import (
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
)

// The cache holds at most cacheRows * cacheWays tokens.
const (
	cacheRows = 2048
	cacheWays = 4
)

type digest = [sha256.Size]byte

// verified is a token whose signature and claims were found good.
type verified struct {
	digest digest
	claims *Claims
	key    Key
}

// cache remembers verified tokens by digest: a table of fixed size, read and
// written without a lock. What it forgets is verified again.
type cache struct {
	rows [cacheRows][cacheWays]atomic.Pointer[verified]
}

func (c *cache) row(d digest) *[cacheWays]atomic.Pointer[verified] {
	return &c.rows[binary.LittleEndian.Uint16(d[:])%cacheRows]
}

// find returns nil for a token that is not there or past its exp. There is no
// leeway here: the last seconds are verified in full.
func (c *cache) find(d digest, now int64) *verified {
	row := c.row(d)
	for i := range row {
		if v := row[i].Load(); v != nil && v.digest == d && now < v.claims.ExpiresAt {
			return v
		}
	}
	return nil
}

// keep puts v where there is room, or in place of the one that ends first.
func (c *cache) keep(v *verified, now int64) {
	if now >= v.claims.ExpiresAt {
		return
	}
	row := c.row(v.digest)
	place, ends := 0, int64(0)
	for i := range row {
		have := row[i].Load()
		if have == nil || have.digest == v.digest {
			place = i
			break
		}
		if i == 0 || have.claims.ExpiresAt < ends {
			place, ends = i, have.claims.ExpiresAt
		}
	}
	row[place].Store(v)
}
