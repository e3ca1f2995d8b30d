package cli

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is what TLS_CERT_FILE and TLS_KEY_FILE hold. Whoever renews it
// writes the files; the next handshake has the new one, or the old one as long
// as the new one cannot be used.
type certificate struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu   sync.Mutex
	pair *tls.Certificate
	seen [2]fileState // of the files when they were last read, for good or not
	next time.Time    // when to look again
}

// lookInterval is how often the files are looked at, at most.
const lookInterval = time.Second

// fileState tells a file that was written from the one before.
type fileState struct {
	modified time.Time
	size     int64
}

func loadCertificate(certFile, keyFile string, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, logger: logger}
	c.seen = c.states()
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.pair = &pair
	return c, nil
}

// get is for tls.Config.GetCertificate.
func (c *certificate) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); !now.Before(c.next) {
		c.next = now.Add(lookInterval)
		c.renew(hello.Context())
	}
	return c.pair, nil
}

func (c *certificate) renew(ctx context.Context) {
	states := c.states()
	if states == c.seen {
		return
	}
	c.seen = states
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.logger.ErrorContext(ctx, "new certificate cannot be used; the old one is", "err", err)
		return
	}
	c.pair = &pair
	c.logger.InfoContext(ctx, "new certificate is used", "expires", pair.Leaf.NotAfter)
}

func (c *certificate) states() (states [2]fileState) {
	for i, file := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(file); err == nil {
			states[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return states
}
