package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// exactMint is what token mint takes for a token of any claims.
type exactMint struct {
	Claims     *string `xor:"whose" required:"" placeholder:"JSON" help:"Sign exactly these claims; nothing is added."`
	Header     *string `placeholder:"JSON" help:"Sign exactly this header, with --claims."`
	Production bool    `help:"Do so although the issuer is not on this machine: whatever is signed will be believed."`
}

func (cmd tokenMintCmd) Validate() error {
	if cmd.Claims == nil {
		if cmd.Header != nil || cmd.Production {
			return &usageError{"--header and --production go with --claims"}
		}
		return nil
	}
	if cmd.Scope != nil || len(cmd.Audience) > 0 {
		return &usageError{"--scope and --audience do not go with --claims, which are signed as they are"}
	}
	if !isObject(*cmd.Claims) {
		return &usageError{"--claims takes a JSON object"}
	}
	if cmd.Header != nil && !isObject(*cmd.Header) {
		return &usageError{"--header takes a JSON object"}
	}
	return nil
}

func isObject(text string) bool {
	b := []byte(text)
	return json.Valid(b) && bytes.HasPrefix(bytes.TrimSpace(b), []byte("{"))
}

// mintExactly signs what was given. A token that can do anything is made for
// this machine alone, or on purpose.
func (cmd tokenMintCmd) mintExactly(ctx context.Context, con *console, s *staff) error {
	claims, header := []byte(*cmd.Claims), []byte(nil)
	if cmd.Header != nil {
		header = []byte(*cmd.Header)
	}
	if !onThisMachine(s.cfg.Identity.Issuer) {
		if !cmd.Production {
			return fmt.Errorf("ISSUER is %s, not an address of this machine, and whatever is signed here will be believed there: say --production if that is meant",
				s.cfg.Identity.Issuer)
		}
		if err := checkExpiry(claims, s.cfg.Tokens.AccessLifetime()); err != nil {
			return err
		}
	}
	ring, err := s.signer(ctx)
	if err != nil {
		return err
	}
	token, err := ring.SignExactly(header, claims)
	if err != nil {
		return err
	}
	if err := s.db.Record(ctx, exactEvent(claims)); err != nil {
		return err
	}
	v := struct {
		AccessToken string `json:"access_token"`
	}{token}
	return cmd.print(con, v, func(w io.Writer) { fmt.Fprintln(w, v.AccessToken) })
}

func onThisMachine(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// checkExpiry refuses a token that would outlive the entries of what has ended,
// and then be good again.
func checkExpiry(claims []byte, life time.Duration) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(claims, &members); err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	latest := time.Now().Add(life)
	var exp float64
	if err := json.Unmarshal(members["exp"], &exp); err != nil || exp <= 0 || exp > float64(latest.Unix()) {
		return errors.New("with --production the claims need an exp within ACCESS_TOKEN_EXPIRE_MINUTES, now up to " +
			fmt.Sprint(latest.Unix()) + ": what has ended is not remembered for longer")
	}
	return nil
}

// exactEvent names the token by a digest of its claims, and its user if it has
// one.
func exactEvent(claims []byte) authserver.Event {
	digest := sha256.Sum256(claims)
	e := authserver.Event{
		Act: "token.mint", Result: "success", Actor: authserver.ActorCLI, Reason: "claims sha256:" + hex.EncodeToString(digest[:]),
	}
	var members map[string]any
	if json.Unmarshal(claims, &members) == nil {
		if sub, ok := members["sub"].(string); ok {
			if _, ok := authserver.ParseSubject(sub); ok {
				e.Subject = sub
			}
		}
	}
	return e
}
