package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// SignExactly makes a token of claims and header, two JSON objects, byte for byte
// as they are written: for testing what checks tokens. A header that lacks alg or
// kid gets the signing key's; none at all is that of every token.
func (r *Ring) SignExactly(header, claims []byte) (string, error) {
	active, err := r.signing()
	if err != nil {
		return "", err
	}
	k := *active
	if header != nil {
		completed, err := k.complete(header)
		if err != nil {
			return "", err
		}
		k.header = base64.RawURLEncoding.EncodeToString(completed)
	}
	token, err := k.sign(claims)
	if err != nil {
		return "", fmt.Errorf("sign claims: %w", err)
	}
	return token, nil
}

// complete puts alg and kid before the members of header, if they are not among
// them. An alg that is not the key's is refused: the signature would be another.
func (k key) complete(header []byte) ([]byte, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(header, &given); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	var added []string
	for _, member := range []struct{ name, value string }{{"alg", k.Algorithm}, {"kid", k.ID}} {
		value, err := json.Marshal(member.value)
		if err != nil {
			return nil, fmt.Errorf("write header: %w", err)
		}
		own, ok := given[member.name]
		if !ok {
			added = append(added, fmt.Sprintf("%q:%s", member.name, value))
		} else if member.name == "alg" && !bytes.Equal(own, value) {
			return nil, fmt.Errorf("the header's alg is %s, but the signing key makes %s signatures alone: leave alg out, or use a server with that ALGORITHM",
				own, k.Algorithm)
		}
	}
	_, members, _ := bytes.Cut(header, []byte("{"))
	if len(added) > 0 && len(given) > 0 {
		added = append(added, "")
	}
	return append([]byte("{"+strings.Join(added, ",")), members...), nil
}
