package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/seal"
)

// Begun is the beginning of a person's way through one authorization request.
// It travels sealed beside the request, as the parameter tw, so that nothing is
// stored in between: not who is there, not what was decided.
type Begun struct {
	// At has milliseconds.
	At time.Time
	// SessionID and Secret are of the session that the answer opens: a request
	// that is answered twice has one answer.
	SessionID [16]byte
	Secret    [16]byte
}

const begunSize = 8 + 16 + 16

// Begin is the beginning, now, of whatever request it is sealed with.
func Begin() Begun {
	b := Begun{At: time.Now().UTC().Truncate(time.Millisecond)}
	rand.Read(b.SessionID[:])
	rand.Read(b.Secret[:])
	return b
}

// Seal writes b for r alone.
func (b Begun) Seal(box seal.Box, r *authserver.AuthorizationRequest) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(b.At.UnixMilli()))
	plain = append(append(plain, b.SessionID[:]...), b.Secret[:]...)
	return box.SealText(plain, digest(r))
}

// OpenBegun reads a tw that came with r. A fault, another request's too, is
// seal.ErrNotOurs: then the way begins afresh. It has no age.
func OpenBegun(box seal.Box, tw string, r *authserver.AuthorizationRequest) (Begun, error) {
	plain, err := box.OpenText(tw, digest(r))
	if err != nil {
		return Begun{}, err
	}
	if len(plain) != begunSize {
		return Begun{}, seal.ErrNotOurs
	}
	return Begun{
		At:        time.UnixMilli(int64(binary.BigEndian.Uint64(plain))).UTC(),
		SessionID: [16]byte(plain[8:]),
		Secret:    [16]byte(plain[24:]),
	}, nil
}

// digest is the same for every spelling and order of a request's parameters.
func digest(r *authserver.AuthorizationRequest) []byte {
	sum := sha256.Sum256([]byte(r.Parameters.Encode()))
	return sum[:]
}
