package redistest

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// ClusterSet is a cluster of three primaries with a replica each. Its servers
// take one another for dead after half a second.
type ClusterSet struct {
	// URL is what REDIS_URL is to be.
	URL string
	// Primaries and Replicas are so at the start, in the same order.
	Primaries, Replicas []*Server
}

// Cluster starts a cluster without a password. The test is skipped or fails as
// with New.
func Cluster(t testing.TB) *ClusterSet {
	t.Helper()
	return cluster(t, guard{})
}

// ClusterTLS starts a cluster whose servers speak TLS only, to one another too,
// with certificates for 127.0.0.1 of a CA of its own. They want a password; URL
// names the CA and a user whom an ACL gives rights to.
func ClusterTLS(t testing.TB, rights ...string) *ClusterSet {
	t.Helper()
	return cluster(t, guard{password: password, user: "tokenwright", rights: rights, dir: certificates(t)}, "--tls-cluster", "yes")
}

func cluster(t testing.TB, g guard, args ...string) *ClusterSet {
	t.Helper()
	var (
		all     []*Server
		clients []*redis.Client
		addrs   []string
	)
	for range 6 {
		bus := freePort(t)
		s := launch(t, g, append([]string{"--cluster-enabled", "yes", "--cluster-port", bus,
			"--cluster-node-timeout", "500"}, args...)...)
		c := g.connect(t, s.Addr)
		if len(all) < 3 {
			ranges := [][2]int{{0, 5461}, {5462, 10922}, {10923, 16383}}
			must(t, c.ClusterAddSlotsRange(t.Context(), ranges[len(all)][0], ranges[len(all)][1]).Err())
		}
		// Different epochs from the start, so that nobody has to agree on them.
		must(t, c.Do(t.Context(), "cluster", "set-config-epoch", len(all)+1).Err())
		if len(all) > 0 {
			host, port, _ := strings.Cut(s.Addr, ":")
			must(t, clients[0].Do(t.Context(), "cluster", "meet", host, port, bus).Err())
		}
		all, clients, addrs = append(all, s), append(clients, c), append(addrs, s.Addr)
	}
	says := func(word string) func() bool {
		return func() bool {
			for _, c := range clients {
				if !strings.Contains(c.ClusterInfo(t.Context()).Val(), word) {
					return false
				}
			}
			return true
		}
	}
	settle(t, "the cluster's servers", says("cluster_known_nodes:6\r"))
	for i, c := range clients[3:] {
		must(t, c.ClusterReplicate(t.Context(), clients[i].ClusterMyID(t.Context()).Val()).Err())
	}
	settle(t, "the cluster", says("cluster_state:ok"))
	for _, c := range clients[3:] {
		settle(t, "replication", func() bool {
			return strings.Contains(c.Info(t.Context(), "replication").Val(), "master_link_status:up")
		})
	}
	url := g.url("redis+cluster", strings.Join(addrs, ","), "")
	return &ClusterSet{URL: url, Primaries: all[:3], Replicas: all[3:]}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
