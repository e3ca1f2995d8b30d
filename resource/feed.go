package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// pingInterval is how often the issuer says something.
	pingInterval = 5 * time.Second
	// maxSilence is when a connection counts as dead.
	maxSilence = 3 * pingInterval
	// maxPause is the longest between two attempts. What ends while the issuer
	// restarts is then heard of within a second of its return.
	maxPause = time.Second
	// refusedPause is the same for a client that the issuer refuses.
	refusedPause = 10 * time.Second
)

var (
	errSilent  = errors.New("feed: nothing heard for too long")
	errRefused = errors.New("feed: the issuer refuses this client; it must be confidential, with the right secret, may introspect, and serve this API's audience")
)

// follow finds the issuer, then keeps keys fresh and ended told, until ctx ends.
func follow(ctx context.Context, c Config, keys *remoteKeys, ended *Ended) {
	client := newClient(c.Transport)
	news := newNews(c, ended)
	defer news.stop()
	var found metadata
	for b := backoff(0); ; pause(ctx, b.next()) {
		var err error
		if found, err = discover(ctx, client, c.Issuer); err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		news.lost(fmt.Errorf("find issuer: %w", err))
	}
	keys.first(ctx, client, found.jwksURI)
	go keys.run(ctx, client, found.jwksURI, usualRefresh)
	f := follower{client: client, endpoint: found.feed, config: c, ended: ended, news: news, burnt: keys.burnt}
	f.run(ctx)
}

// follower tells ended what the feed says.
type follower struct {
	client   *http.Client
	endpoint string
	config   Config
	ended    *Ended
	news     *news
	burnt    chan struct{}

	seq     int64        // up to where ended has been told
	copy    string       // of the issuer's database that seq is of
	resumes bool         // whether seq is of a snapshot
	parts   *replacement // of a snapshot that goes on; nil without one
}

func (f *follower) run(ctx context.Context) {
	var b backoff
	for ctx.Err() == nil {
		heard, err := f.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		if heard {
			b = 0
		}
		if errors.Is(err, errRefused) {
			f.news.refused(err)
			pause(ctx, refusedPause)
			continue
		}
		f.news.lost(err)
		pause(ctx, b.next())
	}
}

// connection follows one until it breaks, and returns why it did and whether
// anything was heard.
func (f *follower) connection(ctx context.Context) (heard bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(contactTimeout, func() { cancel(errSilent) })
	defer watch.Stop()

	res, err := f.open(ctx)
	if err != nil {
		return false, cause(ctx, err)
	}
	defer res.Body.Close()
	f.parts = nil
	events := newEventReader(watched{res.Body, watch})
	for {
		e, err := events.next()
		if err == nil {
			err = f.hear(e)
		}
		if errors.Is(err, errMalformed) {
			f.resumes = false // a snapshot makes up for what was not understood
		}
		if err != nil {
			return heard, cause(ctx, err)
		}
		heard = true
	}
}

// cause prefers the reason why the connection was given up.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}

// open asks for the feed, from where ended has been told if that is not long ago.
func (f *follower) open(ctx context.Context) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.endpoint, nil)
	if err != nil {
		return nil, err
	}
	q := req.URL.Query()
	q.Set("resource", f.config.Audience)
	q.Set("copy", "")
	if f.resumes {
		q.Set("copy", f.copy)
	}
	req.URL.RawQuery = q.Encode()
	req.Header.Set("Accept", "text/event-stream")
	// RFC 6749 §2.3.1: both halves are form-encoded.
	req.SetBasicAuth(url.QueryEscape(f.config.ClientID), url.QueryEscape(f.config.ClientSecret))
	if f.resumes && !f.news.stale() {
		req.Header.Set("Last-Event-ID", strconv.FormatInt(f.seq, 10))
	}
	res, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := feedAnswer(res); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

func feedAnswer(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w (%d)", errRefused, res.StatusCode)
	default:
		return fmt.Errorf("feed: the issuer answers %d", res.StatusCode)
	}
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || t != "text/event-stream" {
		return errors.New("feed: the answer is not text/event-stream")
	}
	return nil
}

// hear tells ended what an event says.
func (f *follower) hear(e event) error {
	entries, err := e.entries()
	if err == nil && e.id < 0 && (e.name == eventSnapshot || e.name == eventRevoke) {
		err = fmt.Errorf("%w: an event has no id", errMalformed)
	}
	if err != nil {
		return err
	}
	switch e.name {
	case eventPart, eventSnapshot:
		if f.parts == nil {
			f.parts = f.ended.replacement()
		}
		f.parts.add(entries...)
		if e.name == eventPart {
			break
		}
		f.parts.finish()
		f.parts = nil
		f.seq, f.copy, f.resumes = e.id, e.copy, true
	case eventRevoke, eventPing:
		f.ended.Apply(entries...)
		if e.id >= f.seq {
			f.seq, f.copy = e.id, e.copy
		}
	}
	if e.name == eventRevoke && entries[0].Kind == KindKey {
		signal(f.burnt)
	}
	f.news.heard(f.resumes)
	return nil
}

// watched puts off the end of a connection at each sign of life.
type watched struct {
	io.Reader
	watch *time.Timer
}

func (w watched) Read(p []byte) (int, error) {
	w.watch.Reset(maxSilence)
	return w.Reader.Read(p)
}

// backoff is how long to wait, longer each time; the zero value begins.
type backoff time.Duration

func (b *backoff) next() time.Duration {
	*b = min(max(2**b, backoff(50*time.Millisecond)), backoff(maxPause))
	return time.Duration(*b)
}

// pause takes d or up to half less: followers that lost the issuer together come
// back one by one.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d - rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
