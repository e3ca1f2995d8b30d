package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

// ErrUnauthenticated says that the issuer did not take the caller's token: it has
// ended since the guard let it through.
var ErrUnauthenticated = errors.New("issuer refused the token")

// maxUsers is how many bytes of a list are read: a thousand users with room to
// spare.
const maxUsers = 4 << 20

// RemoteUsers asks the authorization server for the users, with the caller's
// token.
type RemoteUsers struct {
	issuer string
	client *http.Client
}

// NewRemoteUsers asks issuer, and waits no longer than timeout.
func NewRemoteUsers(issuer string, timeout time.Duration) *RemoteUsers {
	return &RemoteUsers{issuer, &http.Client{
		Timeout: timeout,
		// The token is the issuer's to see, and nobody else's.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ListUsers returns ErrUnauthenticated, or an error that wraps
// resource.ErrUnavailable if the issuer cannot be asked.
func (r *RemoteUsers) ListUsers(ctx context.Context, token string, limit, offset int) (Users, error) {
	url := r.issuer + "/auth/users?limit=" + strconv.Itoa(limit) + "&offset=" + strconv.Itoa(offset)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Users{}, fmt.Errorf("ask issuer: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := r.client.Do(req)
	if err != nil {
		return Users{}, fmt.Errorf("ask issuer: %w: %w", resource.ErrUnavailable, err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return Users{}, ErrUnauthenticated
	default:
		return Users{}, fmt.Errorf("ask issuer: %w: status %d", resource.ErrUnavailable, res.StatusCode)
	}
	var users Users
	if err := json.NewDecoder(io.LimitReader(res.Body, maxUsers)).Decode(&users); err != nil {
		return Users{}, fmt.Errorf("read users: %w: %w", resource.ErrUnavailable, err)
	}
	return users, nil
}
