//go:build proof

package revocation

import (
	"testing"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// server is a tokenwright serve of its own process.
type server struct {
	*program.Process // another one after each start
	name             string
	args             []string
	// probe is a route that wants a user's access token and nothing else.
	probe string
}

// start runs the program and returns when it listens.
func (d *deployment) start(p *server) {
	d.t.Helper()
	started, err := binary.Start(d.dir, d.env, p.args...)
	if err != nil {
		d.t.Fatalf("%s did not start:\n%v", p.name, err)
	}
	p.Process = started
}

// stop asks the server to end, and wants it to end well.
func (p *server) stop(t testing.TB) {
	t.Helper()
	if err := p.Stop(); err != nil {
		t.Errorf("%s ended with %v:\n%s", p.name, err, p.Log())
	}
}
