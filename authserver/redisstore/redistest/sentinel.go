package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// SentinelSet is a primary and its replica, watched by three Sentinels that
// take a server for dead after half a second.
type SentinelSet struct {
	// URL is what REDIS_URL is to be.
	URL string
	// Password is what every server and every Sentinel wants.
	Password string
	// Primary and Replica are so at the start.
	Primary, Replica *Server
	Sentinels        []*Server
}

// Sentinel starts a set. The test is skipped or fails as with New.
func Sentinel(t testing.TB) *SentinelSet {
	t.Helper()
	const password = "p4ss-w0rd"
	s := &SentinelSet{Password: password, Primary: launch(t, password)}
	host, port, _ := strings.Cut(s.Primary.Addr, ":")
	s.Replica = launch(t, password, "--replicaof", host+" "+port)
	replica := connect(t, s.Replica.Addr, password)
	settle(t, "replication", func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	var addrs []string
	for range 3 {
		w := watcher(t, host+" "+port, password)
		s.Sentinels = append(s.Sentinels, w)
		addrs = append(addrs, w.Addr)
	}
	for _, w := range s.Sentinels {
		c := connect(t, w.Addr, password)
		settle(t, "the Sentinels", func() bool {
			return strings.Contains(c.Info(t.Context(), "sentinel").Val(), "status=ok,address="+s.Primary.Addr+",slaves=1,sentinels=3")
		})
	}
	s.URL = "redis+sentinel://:" + password + "@" + strings.Join(addrs, ",") + "/tw"
	return s
}

func watcher(t testing.TB, primary, password string) *Server {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	file := filepath.Join(dir, "sentinel.conf") // it writes there what it learns
	conf := fmt.Sprintf(`port %[1]s
bind 127.0.0.1
dir %[2]s
requirepass %[4]s
sentinel sentinel-pass %[4]s
sentinel monitor tw %[3]s 2
sentinel auth-pass tw %[4]s
sentinel down-after-milliseconds tw 500
sentinel failover-timeout tw 3000
`, port, dir, primary, password)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Addr: "127.0.0.1:" + port, ready: "Sentinel ID is", args: []string{file, "--sentinel"}}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// connect is for asking one server or one Sentinel.
func connect(t testing.TB, addr, password string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, Password: password})
	t.Cleanup(func() { c.Close() })
	return c
}
