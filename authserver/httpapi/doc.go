// Package httpapi is the routes of the server's HTTP side that programs call: each
// decodes a request, calls one method of another package and encodes what that
// returns. It holds no rule of its own about users, clients or tokens. What every
// request passes before is web's; the OpenAPI document is made by huma from the
// Go types of the routes.
package httpapi
