//go:build proof

package feed

const million = 1_000_000
