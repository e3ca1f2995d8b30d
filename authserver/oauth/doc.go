// Package oauth is the logic of the OAuth endpoints: the grants of RFC 6749 and
// the sessions that they open; how those end is package sessions'. It is the only
// importer of go-oauth2, which drives the grants through the halves
// ValidationTokenRequest and GetAccessToken; what it leaves open is closed here,
// around it.
//
// An exchange joins what the library's hooks see apart: one token request, from
// its form to its tokens. Decoding HTTP beyond the token endpoint's form, and
// the bodies of other routes, belong to httpapi; who may log in, to account.
package oauth
