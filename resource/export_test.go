package resource

import "context"

// VerifyUncached is Verify without the cache, to be measured against it.
func (v *Verifier) VerifyUncached(ctx context.Context, token string) error {
	_, err := v.verify(ctx, token)
	return err
}

// Waiting counts what the heap of Ended holds.
func (e *Ended) Waiting() int { return len(e.leaves) }

// ParseJWKS reads keys as a verifier that follows an issuer does.
func ParseJWKS(document []byte) (map[string]Key, error) {
	keys, _, err := parseJWKS(document)
	return keys, err
}

// Replacement begins what Replace does in one step.
func (e *Ended) Replacement() *Replacement { return &Replacement{e.replacement()} }

// Replacement is a replacement.
type Replacement struct{ r *replacement }

func (r *Replacement) Add(entries ...Revocation) { r.r.add(entries...) }
func (r *Replacement) Finish()                   { r.r.finish() }
