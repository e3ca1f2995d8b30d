package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// Caller makes requests to addresses that others name. It calls public addresses
// by https, and others, or by http, only within what is allowed; the address is
// looked at once it is resolved. It follows no redirect and uses no proxy.
type Caller struct{ secure, plain http.Client }

// NewCaller allows the given ranges besides what is public.
func NewCaller(allow []netip.Prefix) *Caller {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	public := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	return &Caller{
		secure: client(func(a netip.Addr) error { return public.SafeAddr(a) }),
		plain: client(func(a netip.Addr) error {
			if !slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(a) }) {
				return errors.New("http goes only to what is allowed")
			}
			return nil
		}),
	}
}

func client(check func(netip.Addr) error) http.Client {
	dialer := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return &addressError{address, err}
		}
		if err := check(at.Addr().Unmap()); err != nil {
			return &addressError{at.Addr().String(), err}
		}
		return nil
	}}
	return http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    atOnceReceivers,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: mostRead,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// addressError says that an address is not called.
type addressError struct {
	address string
	err     error
}

func (e *addressError) Error() string {
	return fmt.Sprintf("address %s is not allowed: %v", e.address, e.err)
}

func (e *addressError) Unwrap() error { return e.err }

// mostRead is how much of an answer is read; what it says counts for nothing.
const mostRead = 64 << 10

// Post posts a form. A status of 2xx is nil, 429 and 5xx are a *LaterError, every
// other and an address that is not allowed are a *RefusedError. No error has the
// URI in it, which may have a secret.
func (c *Caller) Post(ctx context.Context, uri string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(form.Encode()))
	if err != nil {
		return &RefusedError{Reason: "not a URI"}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "tokenwright")
	http := &c.secure
	if req.URL.Scheme != "https" {
		http = &c.plain
	}
	answer, err := http.Do(req)
	if err != nil {
		if not, ok := errors.AsType[*addressError](err); ok {
			return &RefusedError{Reason: not.Error()}
		}
		if in, ok := errors.AsType[*url.Error](err); ok {
			err = in.Err
		}
		return fmt.Errorf("no answer: %w", err)
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, mostRead)) // for the connection's sake
	return judge(answer)
}

func judge(answer *http.Response) error {
	reason := "status " + strconv.Itoa(answer.StatusCode)
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode/100 == 5:
		return &LaterError{Reason: reason, After: retryAfter(answer.Header.Get("Retry-After"))}
	case answer.StatusCode/100 == 3:
		reason += ", and redirects are not followed"
	}
	return &RefusedError{Reason: reason}
}

// retryAfter reads RFC 9110 §10.2.3; what is not understood is 0.
func retryAfter(text string) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return time.Until(at)
	}
	return 0
}
