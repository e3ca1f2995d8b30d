package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/feed"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/resource"
)

type tokenInspectCmd struct {
	output
	Token string `arg:"" optional:"" default:"-" help:"The token; - reads it from stdin, where no list of processes shows it."`
}

func (tokenInspectCmd) Help() string {
	return "Example:\n\n\ttokenwright token mint --user alice | tokenwright token inspect\n"
}

// inspection is what there is to say about a token. Header and Claims are as
// the token has them, true or not.
type inspection struct {
	Header    json.RawMessage `json:"header"`
	Claims    json.RawMessage `json:"claims"`
	Signature string          `json:"signature"`
	State     string          `json:"state"`
	// Accepted is whether the bundled API would take it now; Reason, why not.
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"`
}

func (cmd tokenInspectCmd) Run(ctx context.Context, con *console) error {
	token := cmd.Token
	if token == "-" {
		var err error
		if token, err = con.secretLine("token"); err != nil {
			return err
		}
	}
	token = strings.TrimSpace(token)
	if strings.HasPrefix(token, authserver.RefreshTokenPrefix) {
		return errors.New("that is a refresh token, which only the token endpoint can read: inspect takes access tokens")
	}
	var v inspection
	if err := v.decode(token); err != nil {
		return err
	}
	return con.withStaff(ctx, func(s *staff) error {
		if err := v.judge(ctx, s, token); err != nil {
			return err
		}
		return cmd.print(con, v, v.text)
	})
}

// decode reads header and claims without believing them.
func (v *inspection) decode(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("that is no JWT: it has %d parts where header, claims and signature make 3", len(parts))
	}
	for i, to := range []*json.RawMessage{&v.Header, &v.Claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || !json.Valid(b) {
			return fmt.Errorf("that is no JWT: its %s is not base64url of JSON", []string{"header", "payload"}[i])
		}
		*to = b
	}
	return nil
}

// judge says what the signature, the clock and the table of what has ended say.
func (v *inspection) judge(ctx context.Context, s *staff, token string) error {
	ring, err := keys.Open(ctx, s.db, s.master, s.cfg.Keys.Algorithm)
	if err != nil {
		return err
	}
	ended := resource.NewEnded()
	if err := feed.New(s.db, ended, 0, s.deps.Logger).Sync(ctx); err != nil {
		return err
	}
	kid, signature := verifySignature(ctx, ring, token)
	v.Signature = signature
	if v.State, err = state(ended, v.Claims, kid); err != nil {
		return err
	}
	verifier, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: s.cfg.Identity.Issuer, Audience: s.cfg.Identity.Audience, Keys: ring, Ended: ended,
	})
	if err != nil {
		return err
	}
	_, err = verifier.Verify(ctx, token)
	refused, known := errors.AsType[*resource.TokenError](err)
	if err != nil && !known {
		return err
	}
	v.Accepted = err == nil
	if refused != nil {
		v.Reason = refused.Error()
	}
	return nil
}

// verifySignature returns the kid and a verdict; claims play no part in it.
func verifySignature(ctx context.Context, ring *keys.Ring, token string) (kid, verdict string) {
	unknown := errors.New("no key of this server has that kid")
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	parsed, err := parser.ParseWithClaims(token, jwt.MapClaims{}, func(t *jwt.Token) (any, error) {
		kid, _ = t.Header["kid"].(string)
		key, err := ring.Key(ctx, kid)
		if err != nil {
			return nil, unknown
		}
		if t.Method.Alg() != key.Algorithm {
			return nil, fmt.Errorf("the key is for %s", key.Algorithm)
		}
		return key.Public, nil
	})
	switch {
	case err == nil && parsed.Valid:
		return kid, "valid"
	case errors.Is(err, unknown):
		return kid, "unknown key: " + unknown.Error()
	}
	return kid, "invalid: " + err.Error()
}

// state says whether the time or an ending is past; a forged token has one too.
func state(ended *resource.Ended, payload []byte, kid string) (string, error) {
	c, err := resource.ParseClaims(payload)
	if err != nil {
		return "unknown: " + err.Error(), nil
	}
	reason, over, err := ended.Check(&c, kid)
	switch {
	case err != nil:
		return "", err
	case over:
		return "ended: " + reason, nil
	}
	now, expires := time.Now(), time.Unix(c.ExpiresAt, 0)
	switch {
	case !now.Before(expires):
		return "expired at " + stamp(expires), nil
	case now.Unix() < c.NotBefore:
		return "not valid before " + stamp(time.Unix(c.NotBefore, 0)), nil
	}
	return "live until " + stamp(expires), nil
}

func (v inspection) text(w io.Writer) {
	for _, part := range []struct {
		name string
		json json.RawMessage
	}{{"header", v.Header}, {"claims", v.Claims}} {
		pretty, err := json.MarshalIndent(part.json, "", "  ")
		if err != nil { // decode has seen that it is JSON
			pretty = part.json
		}
		fmt.Fprintf(w, "%s %s\n", part.name, pretty)
	}
	fmt.Fprintf(w, "signature\t%s\n", v.Signature)
	fmt.Fprintf(w, "state\t%s\n", v.State)
	fmt.Fprintf(w, "accepted by the bundled API\t%s\n", yesNo(v.Accepted))
	if v.Reason != "" {
		fmt.Fprintf(w, "reason\t%s\n", v.Reason)
	}
}
