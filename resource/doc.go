// Package resource protects an API with the access tokens of a Tokenwright
// server. It needs the standard library and golang-jwt, and no call to the
// server for a request.
//
// New makes a Verifier that finds the issuer's keys and follows what has ended
// by itself. A Guard then stands in front of the handlers:
//
//	verifier, err := resource.New(ctx, resource.Config{
//		Issuer:       "https://auth.example.com",
//		Audience:     "https://api.example.com", // this API
//		ClientID:     "api",                     // may introspect
//		ClientSecret: secret,
//	})
//	…
//	guard := resource.NewGuard(verifier, "")
//	roles, err := resource.ParseHierarchy("viewer<user<editor<moderator<admin")
//	…
//	mux.Handle("GET /orders", guard.Require(resource.Scope("read"))(orders))
//	mux.Handle("DELETE /orders/{id}", guard.Require(roles.AtLeast("moderator"))(remove))
//
// A handler behind it finds who asks with ClaimsFrom. Key your records by
// Claims.Subject: a username can be another's tomorrow, a subject cannot. The
// package example is a whole program; package ginauth is the same for gin, and
// package resourcetest has an issuer for your own tests. NewVerifier puts a
// Verifier together from parts: a KeySource and an Ended of one's own.
//
// # What is checked
//
// RFC 9068 §4 with RFC 8725: the signature by a key that the issuer has now, the
// algorithm that belongs to that key and no other, typ at+jwt (or
// application/at+jwt, in any case), iss byte by byte, aud, exp and nbf with a
// leeway, and that neither the token nor its session, user, client or key has
// ended. A header that brings a key along or names an extension is refused; no
// address in a token is ever fetched. Names of members match exactly and may not
// repeat.
//
// # What is answered
//
// RFC 6750 §3: 401 without a token or with one that is not good, 403 if it may
// not do this, 400 if the Authorization header makes no sense, and 503 when
// nobody can tell, as before the first news of what has ended. A token is taken
// from the Authorization header only.
//
// # What is asked of the issuer
//
// Its metadata, once; its JWKS, when max-age is over, when the feed says that a
// key has ended, and at most every 5 s for a kid that is not known; and the
// revocation feed (docs/revocation-feed.md), on one connection that stays open.
// While it is connected, a token that has ended is refused within a second. While
// the issuer is away the last keys and what is known to have ended stay in use;
// after Config.MaxStaleness FailClosed answers 503.
package resource
