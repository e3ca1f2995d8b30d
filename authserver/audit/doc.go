// Package audit owns the event log: what its rows say, how they are chained so
// that a changed or missing one shows, and how those that come by the thousand
// are written in batches. Where rows are kept it leaves to the store.
//
// # Acts
//
// A row says what happened (the act), whether it succeeded, who did it, to whom,
// from where and why. No secret, token or password is in it, and of a login that
// is nobody's only a keyed digest: people type passwords there. A row may stand for
// as many as its times say: of what concerns no user, and of refusals, for those
// that are alike; of refusals that concern nobody known, for those of one act,
// reason and address block, and then it says of them what is the same of all; and
// beyond some hundred rows of refusals a second for those of one act and reason.
//
//	login.success            a password was right; the session is its session
//	login.failure            a login was refused; reasons below
//	login.refused            a password was right, but what was asked for may not be had
//	token.issued             an access token of a client's own
//	client.failure           a client was refused; reasons below
//	refresh.failure          a refresh was refused; reasons below
//	refresh.reuse_detected   an older refresh token was presented; its session has ended
//	refresh.recovered        a refresh token was ahead of a session store that had lost writes
//	session.logout           the user ended the session it was asked in
//	session.end              the user ended another of the user's sessions
//	session.end_others       the user ended all but one
//	session.evict            a new session was one too many; the least recently used ended
//	session.revoke           a client ended a session with one of its refresh tokens, or an operator did
//	logout.sent              a client was told of the end of a session (OpenID Connect Back-Channel Logout)
//	logout.refused           it was not, and will not be: the reason is its answer, or that its address is not allowed
//	logout.given_up          it gave no answer for a day, or one that was to be tried again
//	token.revoke             a client ended one access token
//	token.mint               an operator made an access token; the reason is the digest of claims that were given
//	user.register            a user was made
//	user.change              a file changed a user
//	user.change_password     the user did; a wrong current password is a failure
//	user.set_password        an operator did
//	user.rename user.set_email user.set_roles user.enable
//	user.disable user.remove the reason says what ended by it
//	consent.grant            a user let a client do something
//	consent.withdraw         a user took that back; the client's sessions of the user have ended
//	client.add client.replace client.rotate_secret client.remove
//	scope.put scope.remove resource.put resource.remove
//	                         the reason is the name
//	key.create               a signing key was made; the reason is its algorithm and kid
//	key.rotate               the next one was made and published
//	key.activate             the next one signs before its time, since the one before is to be burnt
//	key.retire               it signs no more, and is removed with its last token
//	key.burn                 it was destroyed and its tokens have ended
//	key.reseal               keys are sealed under another SECRET_KEY; the reason says how many
//	audit.prune              retention removed rows; the reason says how many
//	audit.lost               rows were not written: the database was away for too long; the reason says how many
//
// Reasons of refusals are wrong_credentials, throttled, busy, unavailable,
// wrong_secret, unknown_client, bad_token, unknown_session, ended, expired,
// user_inactive, wrong_client, and the error codes of RFC 6749 §5.2.
//
// # Chains
//
// Each process writes a chain of its own. A row's MAC covers the MAC of the row
// before it in its chain and all that the row says, its number too. Numbers are
// given across all chains, in the order of the commits and without gaps, and how
// far they reach is sealed. So a row cannot be changed, moved or made without the
// key, and one that is removed, or a whole chain, leaves a gap. What no log can
// show by itself is that all of it was put back to how it once was: for that each
// process says its head in its own log, hourly and at its end, and [Verify] takes
// what it said.
package audit
