package cli

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/config"
)

// writes notes each write apart, as its lines' messages.
type writes struct {
	mu  sync.Mutex
	all []string
}

var message = regexp.MustCompile(`"?msg"?[=:]"?(\w+)`)

func (w *writes) Write(p []byte) (int, error) {
	var lines []string
	for _, m := range message.FindAllStringSubmatch(string(p), -1) {
		lines = append(lines, m[1])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, strings.Join(lines, " "))
	return len(p), nil
}

func (w *writes) expect(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.all, want) {
		t.Errorf("written %q, want %q", w.all, want)
	}
}

func TestServerLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		log := newServerLog(&out, config.Log{LogFormat: "text"})
		log.access.Info("one")
		time.Sleep(maxLogDelay / 2)
		log.access.Info("two")
		out.expect(t)
		time.Sleep(maxLogDelay / 2)
		synctest.Wait()
		out.expect(t, "one two") // no later than the first may wait

		log.access.Info("three")
		log.With("k", "v").WithGroup("g").Info("four")
		out.expect(t, "one two", "three four") // at once, in order

		log.access.Info("five")
		log.Debug("unseen")
		log.batch.flush()
		log.batch.flush()
		time.Sleep(2 * maxLogDelay)
		out.expect(t, "one two", "three four", "five")
	})
}

func TestServerLogHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		log := newServerLog(&out, config.Log{LogFormat: "json"})
		line := slog.String("line", strings.Repeat("x", maxLogBatch/4))
		for range 5 {
			log.access.LogAttrs(t.Context(), slog.LevelInfo, "long", line)
		}
		out.expect(t, "long long long long")
		log.batch.flush()
		out.expect(t, "long long long long", "long")
	})
}
