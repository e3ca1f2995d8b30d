// Package web is what all of the server's HTTP has in common, below the packages
// that know the routes: the engine and what every request passes on its way to
// one, and the form of an answer that refuses. It knows no route. How one differs
// from the others in what it passes, whoever registers it says by a [Trait].
//
// Every request passes, in this order: request id and caller, access log,
// recovery from panics, security headers, the check of Host, CORS, the limit on
// bodies, the route. The headers come before the first check that can refuse, so
// that every answer has them.
package web
