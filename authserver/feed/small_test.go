//go:build !proof

package feed

// million is how many very many are: in full with the tag proof.
const million = 25_000
