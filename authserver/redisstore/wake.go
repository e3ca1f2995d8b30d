package redisstore

import (
	"context"
	"time"
)

// wakeChannel has no key's name and no message with a meaning: that something
// has ended is read in the database.
const wakeChannel = "tw:wake"

// wakePatience bounds what a wake-up costs the request that ended something.
const wakePatience = 200 * time.Millisecond

// Wake tells all who are in Wakes that something has ended. It gives up after
// 200 ms: whoever misses a wake-up finds what has ended by reading.
func (s *Store) Wake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wakePatience)
	defer cancel()
	if err := s.client.Publish(ctx, wakeChannel, "").Err(); err != nil {
		return unavailable("publish wake-up", err)
	}
	return nil
}

// Wakes calls woken for each Wake of any server, until ctx ends. It connects
// again whenever it has to, and then calls woken because some may have been
// missed. woken must not wait for long; while it does, wake-ups are lost.
func (s *Store) Wakes(ctx context.Context, woken func()) {
	sub := s.client.Subscribe(ctx, wakeChannel)
	defer sub.Close()
	heard := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-heard: // a message, or that the subscription stands
			if !open { // s was closed before ctx ended
				return
			}
			woken()
		}
	}
}
