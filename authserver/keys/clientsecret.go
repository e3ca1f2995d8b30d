package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
)

// HashClientSecret is what a store keeps of a client's secret: the id of the
// master secret and an HMAC-SHA-256. Client secrets are long and random enough
// that a slow hash would add nothing but time to every token request.
func (m *Master) HashClientSecret(secret string) []byte {
	s := m.secrets[0]
	return append(s.id[:], s.hashClient(secret)...)
}

// ClientSecretMatches reports whether hash was made of secret under a master
// secret that m has. It takes the same time for every hash, nil too: that is
// what to compare with when there is no such client.
func (m *Master) ClientSecretMatches(hash []byte, secret string) bool {
	s, known := m.secrets[0], false
	want := make([]byte, sha256.Size)
	if len(hash) == len(s.id)+sha256.Size {
		var named [4]byte
		copy(want, hash[copy(named[:], hash):])
		if found, ok := m.find(named); ok {
			s, known = found, true
		}
	}
	return hmac.Equal(s.hashClient(secret), want) && known
}

// HashesAlike reports whether hash was made under the current SECRET_KEY, as
// HashClientSecret would make it. If not, it needs a previous one to be there.
func (m *Master) HashesAlike(hash []byte) bool {
	return bytes.HasPrefix(hash, m.secrets[0].id[:])
}

func (s secret) hashClient(text string) []byte {
	mac := hmac.New(sha256.New, s.client)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
