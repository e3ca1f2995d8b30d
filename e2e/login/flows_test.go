package login

import (
	"slices"
	"testing"
)

// flow is what one person meets.
type flow struct {
	name string
	do   func(p *person)
}

// TestLogin sees every line that can be seen with a cookie jar and forms, with
// sessions in the database and in Redis.
func TestLogin(t *testing.T) {
	for name, inRedis := range map[string]bool{"SQLite": false, "Redis": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, inRedis)
			for _, f := range slices.Concat(requestFlows, sessionFlows, openidFlows, logoutFlows, basicFlows("query"), basicFlows("form_post"), endFlows) {
				t.Run(f.name, func(t *testing.T) { f.do(w.someone(t)) })
			}
		})
	}
}
