package bench

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a server on this host, looked at through Linux's /proc. Nil is one
// that cannot be seen: elsewhere, another user's, or on another system.
type process struct{ dir string }

// tick is the unit of /proc's times: 100 a second on every architecture that Go
// knows.
const tick = 10 * time.Millisecond

// serverAt finds the process that listens where the issuer says, if that is
// this host.
func serverAt(issuer string) *process {
	at, err := url.Parse(issuer)
	if err != nil {
		return nil
	}
	host := at.Hostname()
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		return nil
	}
	socket := listener(port)
	if socket == "" {
		return nil
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == socket {
			return &process{filepath.Dir(filepath.Dir(link))}
		}
	}
	return nil
}

// listener is the socket that listens on port, as /proc names it in fd.
func listener(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" { // listening
				continue
			}
			_, hexPort, _ := strings.Cut(f[1], ":")
			if b, err := hex.DecodeString(hexPort); err == nil && len(b) == 2 && int(b[0])<<8|int(b[1]) == port {
				return "socket:[" + f[9] + "]"
			}
		}
	}
	return ""
}

// cpu is the time that the process has used, in user and kernel mode.
func (p *process) cpu() time.Duration {
	if p == nil {
		return 0
	}
	text, err := os.ReadFile(p.dir + "/stat")
	if err != nil {
		return 0
	}
	// Behind the name, which may hold blanks, utime and stime are the 12th and 13th.
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	kernel, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+kernel) * tick
}

// memory is the resident set in bytes.
func (p *process) memory() int64 {
	if p == nil {
		return 0
	}
	text, err := os.ReadFile(p.dir + "/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(text))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
