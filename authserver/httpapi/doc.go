// Package httpapi is the server's HTTP side: it decodes a request, calls one
// method of another package and encodes what that returns. It holds no rule of
// its own about users, clients or tokens. Routing is gin's; the OpenAPI document
// is made by huma from the Go types of the routes.
//
// Every request passes, in this order: request id and caller, access log,
// recovery from panics, security headers, the check of Host, CORS, the limit on
// bodies, the route. The headers come before the first check that can refuse, so
// that every answer has them.
package httpapi
