// Package keys owns what is derived from SECRET_KEY (Master) and the signing
// keys of access tokens (Ring). It leaves what is in a token to oauth, and
// where sealed keys are kept to the stores.
package keys
