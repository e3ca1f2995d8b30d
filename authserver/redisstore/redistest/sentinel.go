package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	return sentinel(t, guard{password: password})
}

// SentinelTLS starts a set that speaks TLS only, among itself too, with
// certificates for 127.0.0.1 of a CA of its own. URL names the CA and a user
// whom an ACL gives rights to at the servers.
func SentinelTLS(t testing.TB, rights ...string) *SentinelSet {
	t.Helper()
	return sentinel(t, guard{password: password, user: "tokenwright", rights: rights, dir: certificates(t)})
}

func sentinel(t testing.TB, g guard) *SentinelSet {
	t.Helper()
	s := &SentinelSet{Password: g.password, Primary: launch(t, g)}
	host, port, _ := strings.Cut(s.Primary.Addr, ":")
	s.Replica = launch(t, g, "--replicaof", host+" "+port)
	replica := g.connect(t, s.Replica.Addr)
	settle(t, "replication", func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	var addrs []string
	for range 3 {
		w := watcher(t, g, host+" "+port)
		s.Sentinels = append(s.Sentinels, w)
		addrs = append(addrs, w.Addr)
	}
	for _, w := range s.Sentinels {
		c := g.connect(t, w.Addr)
		settle(t, "the Sentinels", func() bool {
			return strings.Contains(c.Info(t.Context(), "sentinel").Val(), "status=ok,address="+s.Primary.Addr+",slaves=1,sentinels=3")
		})
	}
	s.URL = g.url("redis+sentinel", strings.Join(addrs, ","), "/tw")
	return s
}

func watcher(t testing.TB, g guard, primary string) *Server {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	file := filepath.Join(dir, "sentinel.conf") // it writes there what it learns
	conf := fmt.Sprintf(`bind 127.0.0.1
dir %[1]s
sentinel sentinel-pass %[3]s
sentinel monitor tw %[2]s 2
sentinel auth-pass tw %[3]s
sentinel down-after-milliseconds tw 500
sentinel failover-timeout tw 3000
`, dir, primary, g.password)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Addr: "127.0.0.1:" + port, ready: "Sentinel ID is", args: slices.Concat([]string{file, "--sentinel"}, g.args(port))}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}
