package resource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// cooldown is how soon after one request for an unknown kid there may be
	// another.
	cooldown = 5 * time.Second
	// Bounds of max-age, and what stands in for it.
	minRefresh, maxRefresh, usualRefresh = time.Minute, time.Hour, 5 * time.Minute
	// retryKeys is how soon a failed refresh is tried again.
	retryKeys = 30 * time.Second
)

// remoteKeys is a KeySource that has the issuer's JWKS in memory.
type remoteKeys struct {
	view    atomic.Pointer[keyView]
	wanted  chan struct{} // somebody waits for a newer view
	burnt   chan struct{} // the issuer has taken a key back, and signs with another
	done    chan struct{} // closed when there will be no newer view
	fetched func(error)
	logger  *slog.Logger
}

// keyView is what the last attempt to fetch left. It is never changed.
type keyView struct {
	keys  map[string]Key // the last good set; nil if there was none
	err   error          // of the attempt
	asked time.Time      // when the last attempt for an unknown kid was over
	next  chan struct{}  // closed when there is a newer view
}

func newRemoteKeys(c Config) *remoteKeys {
	k := &remoteKeys{
		wanted: make(chan struct{}, 1), burnt: make(chan struct{}, 1), done: make(chan struct{}),
		fetched: c.Hooks.KeysFetched, logger: c.Logger,
	}
	k.view.Store(&keyView{next: make(chan struct{})})
	return k
}

// Key answers from memory. For an unknown kid it waits for one request to the
// issuer, shared with all who ask, unless the last such request was within the
// cool-down. Others do not begin one: a key may be made right after them.
func (k *remoteKeys) Key(ctx context.Context, kid string) (Key, error) {
	v := k.view.Load()
	if key, ok := v.keys[kid]; ok {
		return key, nil
	}
	if v.keys == nil {
		return Key{}, fmt.Errorf("%w: no keys of the issuer yet", ErrUnavailable)
	}
	if time.Since(v.asked) >= cooldown {
		signal(k.wanted)
		select {
		case <-v.next:
		case <-k.done:
		case <-ctx.Done():
			return Key{}, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
		}
		v = k.view.Load()
		if key, ok := v.keys[kid]; ok {
			return key, nil
		}
	}
	if v.err != nil { // the key may be a new one
		return Key{}, fmt.Errorf("%w: %w", ErrUnavailable, v.err)
	}
	return Key{}, ErrUnknownKey
}

// signal is for a channel of one place: one that waits already will do.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// first fetches until there are keys, or ctx ends.
func (k *remoteKeys) first(ctx context.Context, client *http.Client, address string) {
	for b := backoff(0); ctx.Err() == nil; pause(ctx, b.next()) {
		k.fetch(ctx, client, address, false)
		if k.view.Load().keys != nil {
			return
		}
	}
}

// run keeps the keys fresh until ctx ends.
func (k *remoteKeys) run(ctx context.Context, client *http.Client, address string, wait time.Duration) {
	defer close(k.done)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		wanted := false
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-k.burnt:
		case <-k.wanted:
			if time.Since(k.view.Load().asked) < cooldown {
				continue // what was wanted has come meanwhile
			}
			wanted = true
		}
		timer.Reset(k.fetch(ctx, client, address, wanted))
	}
}

// fetch puts a new view in place and returns how long it will do. wanted is
// whether it is for an unknown kid.
func (k *remoteKeys) fetch(ctx context.Context, client *http.Client, address string, wanted bool) time.Duration {
	old := k.view.Load()
	v := &keyView{keys: old.keys, asked: old.asked, next: make(chan struct{})}
	wait := retryKeys
	body, header, err := fetch(ctx, client, address)
	var keys map[string]Key
	var skipped []error
	if err == nil {
		keys, skipped, err = parseJWKS(body)
	}
	switch {
	case ctx.Err() != nil:
		return wait
	case err != nil:
		v.err = fmt.Errorf("fetch keys: %w", err)
		if old.err == nil {
			k.logger.WarnContext(ctx, "the issuer's keys cannot be fetched; those known stay in use", "err", err)
		}
	default:
		v.keys = keys
		wait = maxAge(header)
		if old.err != nil {
			k.logger.InfoContext(ctx, "the issuer's keys are fetched again")
		}
		if len(keys) != len(old.keys) && len(skipped) > 0 {
			k.logger.WarnContext(ctx, "some of the issuer's keys are not used", "err", errors.Join(skipped...))
		}
	}
	if wanted {
		v.asked = time.Now()
	}
	k.view.Store(v)
	close(old.next)
	if k.fetched != nil {
		k.fetched(err)
	}
	return wait - rand.N(wait/10) // resource servers started together spread out
}

// maxAge is how long the answer says that it stays fresh (RFC 9111 §5.2.2.1),
// within bounds.
func maxAge(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
			return min(max(time.Duration(seconds)*time.Second, minRefresh), maxRefresh)
		}
	}
	return usualRefresh
}
