package redisstore

import "github.com/redis/go-redis/v9"

// Stats are the statistics of the pool of connections; of a cluster, the sum
// of its nodes'.
func (s *Store) Stats() *redis.PoolStats { return s.client.PoolStats() }
