// Package login decides what is still missing between an authorization request
// and its answer. It asks nobody and changes nothing: a handler gives Next what
// is known, does the one step that it names, and asks again, with the same Begun,
// when the person is back.
//
//	a, err := server.Authorize(ctx, form, ask) // oauth: is the request good?
//	step := login.Next(login.Known{Request: &a.Request, Begun: begun, Now: time.Now(), …})
//	switch step {
//	case login.Authenticate: // the login page
//	case login.Register:     // the page that makes an account
//	case login.Ask:          // the consent page
//	case login.Done:         // the code
//	default:                 // LoginRequired … : an error for the client, no page
//	}
package login
