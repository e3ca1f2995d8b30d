package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/tokenwright/tokenwright/authserver"
)

// Key is a MAC key of the log. Rows name it by its ID, so that it can be changed.
type Key struct {
	ID     string
	Secret []byte
}

// Row is an event as it is kept.
type Row struct {
	authserver.Event
	// ID numbers the rows of all chains from 1, in the order of the commits.
	ID    int64
	Chain string
	KeyID string
	MAC   []byte
}

// Head is the last row of a chain: it commits to all rows before it.
type Head struct {
	Chain string
	ID    int64
	MAC   []byte
}

// MAC is what r's is to be after previous, the MAC of the row before it in its
// chain; nothing before the first. Of the time it covers what a store keeps: milliseconds.
func (k Key) MAC(previous []byte, r Row) []byte {
	m := k.mac("tokenwright audit row")
	text(m, string(previous))
	number(m, r.ID)
	number(m, r.At.UnixMilli())
	number(m, r.Times)
	for _, s := range []string{
		r.Chain, r.KeyID, r.Act, r.Result, r.Actor, r.Subject, r.ClientID, r.SessionID, r.IP, r.RequestID, r.Reason,
	} {
		text(m, s)
	}
	return m.Sum(nil)
}

// Seal is the MAC of how far the rows reach: from first, below which retention
// has removed them, to last.
func (k Key) Seal(first, last int64) []byte {
	m := k.mac("tokenwright audit reach")
	number(m, first)
	number(m, last)
	return m.Sum(nil)
}

// pseudonym is what pseudonyms begin with; no id does.
const pseudonym = "hmac:"

// Pseudonym stands for a name that must not be in the log: the same for the same
// name, in any case, and telling nothing of it to who has not the key.
func (k Key) Pseudonym(name string) string {
	m := k.mac("tokenwright audit pseudonym")
	text(m, authserver.Fold(name))
	return pseudonym + hex.EncodeToString(m.Sum(nil)[:16])
}

func (k Key) mac(use string) hash.Hash {
	m := hmac.New(sha256.New, k.Secret)
	text(m, use)
	return m
}

// text writes s so that where it ends is certain.
func text(m hash.Hash, s string) {
	number(m, int64(len(s)))
	m.Write([]byte(s))
}

func number(m hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	m.Write(b[:])
}
