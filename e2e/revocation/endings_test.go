//go:build proof

package revocation

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ending is a change that is ready to be made, and what is to be true after it.
type ending struct {
	make  func() error
	dead  []string // access tokens that no server may take any more
	alive []string // those of the same user that every server must go on taking
	after func() error
}

// kinds is how many endings there are.
const kinds = 8

// endings are all ways for tokens to end. Each prepares the i-th change, with a
// user of its own, at the authorization server p.
var endings = [kinds]struct {
	name    string
	prepare func(d *deployment, p *server, i int) (ending, error)
}{
	{"revoke an access token", func(d *deployment, p *server, i int) (ending, error) {
		s, err := d.login(p, userName(i), "spa")
		if err != nil {
			return ending{}, err
		}
		other, err := d.refresh(p, "spa", s.Refresh)
		return ending{
			make: func() error { return d.revoke(p, "spa", s.Access) },
			dead: []string{s.Access}, alive: []string{other.Access},
			after: func() error { _, err := d.refresh(p, "spa", other.Refresh); return err },
		}, err
	}},
	{"revoke a refresh token", func(d *deployment, p *server, i int) (ending, error) {
		s, err := d.login(p, userName(i), confidentialID)
		if err != nil {
			return ending{}, err
		}
		next, err := d.refresh(p, confidentialID, s.Refresh)
		return ending{
			make: func() error { return d.revoke(p, confidentialID, s.Refresh) },
			dead: []string{s.Access, next.Access},
			after: func() error {
				return d.refused(p, confidentialID, next.Refresh, http.StatusBadRequest, "invalid_grant")
			},
		}, err
	}},
	{"log out", func(d *deployment, p *server, i int) (ending, error) {
		s, err := d.login(p, userName(i), "spa")
		return ending{
			make: func() error { return d.logout(p, s.Access) },
			dead: []string{s.Access},
			after: func() error {
				return d.refused(p, "spa", s.Refresh, http.StatusBadRequest, "invalid_grant")
			},
		}, err
	}},
	{"present a used refresh token", func(d *deployment, p *server, i int) (ending, error) {
		first, err := d.login(p, userName(i), "spa")
		if err != nil {
			return ending{}, err
		}
		third, err := d.usedTwice(p, first)
		return ending{
			make: func() error { return d.refused(p, "spa", first.Refresh, http.StatusBadRequest, "invalid_grant") },
			dead: []string{first.Access, third.Access},
			after: func() error {
				return d.refused(p, "spa", third.Refresh, http.StatusBadRequest, "invalid_grant")
			},
		}, err
	}},
	{"change the password", func(d *deployment, p *server, i int) (ending, error) {
		here, err := d.login(p, userName(i), "spa")
		if err != nil {
			return ending{}, err
		}
		elsewhere, err := d.login(p, userName(i), confidentialID)
		return ending{
			make: func() error { return d.changePassword(p, here.Access, fmt.Sprintf("another horse battery %d", i)) },
			dead: []string{elsewhere.Access}, alive: []string{here.Access},
			after: func() error {
				_, err := d.refresh(p, "spa", here.Refresh)
				return errors.Join(err,
					d.refused(p, confidentialID, elsewhere.Refresh, http.StatusBadRequest, "invalid_grant"))
			},
		}, err
	}},
	// RSV-036
	{"disable the user", func(d *deployment, p *server, i int) (ending, error) {
		s, err := d.login(p, userName(i), "spa")
		return ending{
			make: func() error { _, err := d.operator(nil, "user", "disable", userName(i)); return err },
			dead: []string{s.Access},
			after: func() error {
				a, err := d.ask(http.MethodGet, p.Base+"/auth/me", s.Access, nil)
				if err == nil && !strings.Contains(a.Body, "Inactive user") {
					err = fmt.Errorf("a disabled user is told %s", a.Body)
				}
				return errors.Join(err, d.refused(p, "spa", s.Refresh, http.StatusBadRequest, "invalid_grant"))
			},
		}, err
	}},
	// RSV-040
	{"take a role away", func(d *deployment, p *server, i int) (ending, error) {
		s, err := d.login(p, userName(i), "spa")
		return ending{
			make: func() error { _, err := d.operator(nil, "user", "set-roles", userName(i), "user"); return err },
			dead: []string{s.Access},
			after: func() error {
				next, err := d.refresh(p, "spa", s.Refresh)
				if err != nil {
					return err
				}
				at := d.servers()[len(d.servers())-1] // has /api
				return errors.Join(d.everywhere(next.Access, true),
					d.want(http.StatusForbidden, http.MethodGet, at.Base+"/api/admin", next.Access, nil))
			},
		}, err
	}},
	{"remove the client", func(d *deployment, p *server, i int) (ending, error) {
		client := leavingClient(i / kinds)
		s, err := d.login(p, userName(i), client)
		return ending{
			make: func() error { _, err := d.operator(nil, "client", "remove", client); return err },
			dead: []string{s.Access},
			after: func() error {
				return d.refused(p, client, s.Refresh, http.StatusUnauthorized, "invalid_client")
			},
		}, err
	}},
}
