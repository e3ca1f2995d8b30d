package oauth

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/oidc"
)

// idToken is the ID token of an answer with the given access token; empty if nobody
// asked for one.
func (ex *exchange) idToken(ctx context.Context, access string) (string, error) {
	if ex.user == nil || !slices.Contains(ex.scope, authserver.ScopeOpenID) {
		return "", nil
	}
	algorithm := cmp.Or(ex.client.IDTokenAlgorithm, ex.Settings.IDTokenAlgorithm)
	payload, err := oidc.Token{
		Issuer: ex.Settings.Issuer, ClientID: ex.client.ID, Algorithm: algorithm, User: *ex.user, Session: ex.session,
		Scope: ex.scope, AccessToken: access, Nonce: ex.code.nonce, Now: time.Now(),
	}.Claims()
	if err != nil {
		return "", err
	}
	token, err := ex.Ring.SignAs(ctx, algorithm, typIDToken, payload)
	if err != nil {
		return "", fmt.Errorf("sign ID token: %w", err)
	}
	return token, nil
}
