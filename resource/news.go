package resource

import (
	"log/slog"
	"sync"
	"time"
)

// news knows how it stands with the feed, tells whoever wants to know, and lets
// ended tell nothing when news are late under FailClosed.
type news struct {
	policy  Policy
	patient time.Duration // MaxStaleness
	ended   *Ended
	logger  *slog.Logger
	hooks   Hooks

	mu    sync.Mutex
	state FeedState
	last  time.Time // something was heard, or the beginning
	late  *time.Timer
}

func newNews(c Config, ended *Ended) *news {
	n := &news{policy: c.Feed, patient: c.MaxStaleness, ended: ended, logger: c.Logger, hooks: c.Hooks, last: time.Now()}
	n.late = time.AfterFunc(n.patient, n.fallSilent)
	return n
}

func (n *news) stop() { n.late.Stop() }

// heard is for each event, once ended has been told what it says. Before a
// snapshot it does not know enough.
func (n *news) heard(complete bool) {
	if !complete {
		return
	}
	now := time.Now()
	if n.policy == FailClosed {
		n.ended.readyUntil(now.Add(n.patient).UnixNano())
	} else {
		n.ended.Ready()
	}
	n.mu.Lock()
	n.last = now
	n.late.Reset(n.patient)
	changed := n.enter(FeedFollowed)
	n.mu.Unlock()
	if n.hooks.FeedHeard != nil {
		n.hooks.FeedHeard(now)
	}
	if changed {
		n.logger.Info("the revocation feed is followed")
		n.say(FeedFollowed)
	}
}

func (n *news) lost(err error) {
	n.mu.Lock()
	changed := (n.state == "" || n.state == FeedFollowed) && n.enter(FeedLost)
	n.mu.Unlock()
	if changed {
		n.logger.Warn("the revocation feed is lost", "err", err)
		n.say(FeedLost)
	}
}

func (n *news) refused(err error) {
	n.mu.Lock()
	changed := n.enter(FeedRefused)
	n.mu.Unlock()
	if changed {
		n.logger.Error("the revocation feed is refused", "err", err)
		n.say(FeedRefused)
	}
}

func (n *news) fallSilent() {
	n.mu.Lock()
	changed := time.Since(n.last) >= n.patient && n.enter(FeedStale)
	n.mu.Unlock()
	if changed {
		n.logger.Error("the revocation feed is silent", "longer_than", n.patient, "policy", n.policy)
		n.say(FeedStale)
	}
}

// stale says whether news are late.
func (n *news) stale() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.last) >= n.patient
}

func (n *news) enter(s FeedState) (changed bool) {
	changed = n.state != s
	n.state = s
	return changed
}

func (n *news) say(s FeedState) {
	if n.hooks.FeedChanged != nil {
		n.hooks.FeedChanged(s)
	}
}
