// Package history records what concurrent clients of two servers on one store
// see of sessions, and checks that one server, doing one thing at a time, could
// have answered the same: that the rule of presentation is linearizable.
package history
