//go:build proof

package revocation

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
)

// program is a tokenwright serve of its own process.
type program struct {
	name string
	args []string
	// base is where it serves; another one after each start.
	base string
	// probe is a route that wants a user's access token and nothing else.
	probe string

	cmd  *exec.Cmd
	read sync.WaitGroup
	mu   sync.Mutex
	log  bytes.Buffer
}

var serving = regexp.MustCompile(`msg=serving listen=(\S+)`)

// start runs the program and returns when it listens.
func (d *deployment) start(p *program) {
	d.t.Helper()
	p.cmd = d.command(append([]string{"serve"}, p.args...)...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	p.base = ""
	for p.base == "" && lines.Scan() {
		p.note(lines.Text())
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			p.base = "http://" + m[1]
		}
	}
	if p.base == "" {
		p.cmd.Wait()
		d.t.Fatalf("%s did not start:\n%s", p.name, p.said())
	}
	p.read.Go(func() {
		for lines.Scan() {
			p.note(lines.Text())
		}
	})
}

func (p *program) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(&p.log, line)
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends the program in the middle of what it is doing.
func (p *program) kill() {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Kill()
	p.reap()
}

// stop asks the program to end, and wants it to end well.
func (p *program) stop(t testing.TB) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.reap(); err != nil {
		t.Errorf("%s ended with %v:\n%s", p.name, err, p.said())
	}
}

func (p *program) reap() error {
	p.read.Wait()
	err := p.cmd.Wait()
	p.cmd = nil
	return err
}
