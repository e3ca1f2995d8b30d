package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/url"
	"time"

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

// Tw is the parameter that goes with a's address, and with no other.
func (s *Server) Tw(a Authorization) string {
	return s.begun.SealText(a.Begun.bytes(), digest(a.Address))
}

func (b Begun) bytes() []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(b.At.UnixMilli()))
	return append(append(out, b.SessionID[:]...), b.Secret[:]...)
}

// openBegun reads a tw that came with the parameters of a request. A fault,
// another request's too, is seal.ErrNotOurs: then the way begins afresh. It has no
// age.
func openBegun(box seal.Box, tw string, address url.Values) (Begun, error) {
	plain, err := box.OpenText(tw, digest(address))
	if err != nil {
		return Begun{}, err
	}
	if len(plain) != begunSize {
		return Begun{}, seal.ErrNotOurs
	}
	return readBegun(plain), nil
}

func readBegun(b []byte) Begun {
	return Begun{
		At:        time.UnixMilli(int64(binary.BigEndian.Uint64(b))).UTC(),
		SessionID: [16]byte(b[8:]),
		Secret:    [16]byte(b[24:]),
	}
}

// digest is the same for every spelling and order of a request's parameters.
func digest(address url.Values) []byte {
	sum := sha256.Sum256([]byte(address.Encode()))
	return sum[:]
}
