package sqlstore

import (
	"math"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// millis is t as the database keeps it; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// limit is a page's in SQL, where none is a large one.
func limit(p authserver.Page) int64 {
	if p.Limit == 0 {
		return math.MaxInt64
	}
	return int64(p.Limit)
}

// join is a list as the database keeps it; strings.Fields reads it.
func join(list []string) string { return strings.Join(list, " ") }

// scanner is a row or rows.
type scanner interface {
	Scan(dest ...any) error
}

// null is s, or null if it is empty.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// bytes is b for a column that is not null.
func bytes(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// folded is the key of a name that is to be changed, or nil.
func folded(name *string) any {
	if name == nil {
		return nil
	}
	return authserver.Fold(*name)
}

// joined is join of a list that is to be changed, or nil.
func joined(list *[]string) any {
	if list == nil {
		return nil
	}
	return join(*list)
}

// deref is what p points to, or nothing.
func deref(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
