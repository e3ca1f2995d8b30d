// Package authserver is the vocabulary of the authorization server: its types,
// its errors and the contracts of its stores. It imports the standard library
// only, and everything below it speaks in its words.
//
// # Glossary
//
//   - Client: an application that asks for tokens (RFC 6749 §1.1), public or
//     confidential (§2.1).
//   - User: a resource owner with a password. Its subject is opaque and never
//     changes; its name and e-mail address may.
//   - Session: one authorization of one client for one user. Everything issued
//     under it carries its id (the claim sid) and ends with it.
//   - Refresh token: a counter of a session with a MAC over it; see [RefreshToken].
//   - Authorization request: what a client sends a browser with to get a user's
//     session (RFC 6749 §4.1.1); see [AuthorizationRequest].
//   - Consent: what a user lets a client do, with an epoch that taking it back raises.
//   - Epoch: a counter of a user. Raising it ends the access tokens issued
//     before; raising the session epoch ends the sessions opened before.
//   - Revocation: one entry of the table of what has ended, in sequence.
//   - Tombstone: the mark that a session has ended, kept for as long as one of
//     its refresh tokens could still be presented.
//
// # Map
//
//	oauth       the OAuth endpoints: the grants, driven by go-oauth2
//	sessions    lists and ends sessions
//	account     who may log in: users and clients
//	browser     the cookie by which a browser is known again
//	oidc        what OpenID Connect says about people: claims, ID tokens
//	login       what is missing between an authorization request and its answer
//	password    hashes of passwords and the admission to computing them
//	keys        signing keys and what is derived from SECRET_KEY
//	seal        what is given away sealed and comes back
//	limit       how often something may fail
//	audit       the event log: its words, its chains, its batches
//	outbox      sends what must not be lost: what is due, pauses, addresses
//	backchannel logout tokens for the clients of ended sessions
//	feed        carries the table of what has ended to those who follow it
//	sqlstore    SQLite or PostgreSQL: users, clients, keys, what has ended, sessions
//	redisstore  sessions in Redis
//	storetest   the suites that every store passes
//	transport   which TLS is good enough
//	certtest    certificates for the servers that tests start
//	web         what every HTTP request passes, below those who know the routes
//	httpapi     the routes that programs call: decode, call, encode
//	pages       what people see: HTML in their language
//	demo        an application to copy, which logs people in by redirect
//	telemetry   metrics and traces
//	doctor      examines a running issuer from outside
//	bench       measures a running issuer from outside
//	cli         the commands, and in serve.go the wiring
package authserver
