package hostile

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/e2e/program"
)

// Connections that say nothing, too little, too slowly or that do not listen are
// let go in time, and meanwhile everybody else is answered.
func TestSlowConnections(t *testing.T) {
	each, idle := 50, 1_000
	if *proof {
		each, idle = 500, 10_000
	}
	p := binary.Serve(t, t.TempDir(), nil, "--demo")
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := program.Post(client, p.Base+"/oauth/token", program.Login("demo-app", "testuser", "user123"))
	tokens := program.Must(t, 200, a, err)
	before, memory := p.Sockets(t), p.Memory(t, "VmRSS")

	host := "Host: " + strings.TrimPrefix(p.Base, "http://") + "\r\n"
	post := "POST /auth/login HTTP/1.1\r\n" + host + "Content-Type: application/x-www-form-urlencoded\r\n"
	kinds := []struct {
		name   string
		said   string
		drip   string        // said again every second
		within time.Duration // of being let go
	}{
		{"says nothing", "", "", 7 * time.Second},
		{"half a request line", "POST /au", "", 7 * time.Second},
		{"a header that does not end", "GET /health HTTP/1.1\r\n" + host + "X-A: ", "a", 7 * time.Second},
		{"half a body", post + "Content-Length: 100\r\n\r\nusername=a", "", 18 * time.Second},
		{"a body by drops", post + "Content-Length: 60000\r\n\r\nusername=", "a", 18 * time.Second},
		{"a chunk that does not come", post + "Transfer-Encoding: chunked\r\n\r\nffff\r\n", "", 18 * time.Second},
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", 7 * time.Second},
	}
	var slow sync.WaitGroup
	began := time.Now()
	for _, kind := range kinds {
		for range each {
			conn := dial(t, p, kind.said)
			slow.Go(func() {
				if took := letGo(conn, kind.drip, began); took > kind.within {
					t.Errorf("%s: held for %v, want %v at most", kind.name, took, kind.within)
				}
			})
		}
	}
	kept := make([]net.Conn, idle)
	for i := range kept {
		kept[i] = dial(t, p, "GET /livez HTTP/1.1\r\n"+host+"\r\n")
	}
	for range each { // asks for a lot and does not read
		dial(t, p, strings.Repeat("GET /openapi.json HTTP/1.1\r\n"+host+"\r\n", 20))
	}
	t.Logf("%d connections, of which %d are accepted: %d MB more", len(kinds)*each+each+idle, p.Sockets(t)-before, (p.Memory(t, "VmRSS")-memory)>>20)

	let := make(chan struct{})
	go func() { slow.Wait(); close(let) }()
	asked, worst := 0, time.Duration(0)
	for going := true; going; asked++ {
		select {
		case <-let:
			going = false
		default:
		}
		from := time.Now()
		a, err := program.Get(client, p.Base+"/api/private", tokens.Access)
		program.Must(t, 200, a, err)
		worst = max(worst, time.Since(from))
	}
	t.Logf("meanwhile %d requests were answered, the slowest in %v", asked, worst.Round(time.Millisecond))
	if bound := 64<<20 + (len(kinds)*each+each+idle)*48<<10; p.Memory(t, "VmHWM")-memory > bound {
		t.Errorf("%d MB more of memory", (p.Memory(t, "VmHWM")-memory)>>20)
	}
	for _, conn := range kept {
		conn.Close()
	}
}

// letGo reads until the other side closes, dripping if there is something to
// drip, and returns how long that took.
func letGo(conn net.Conn, drip string, began time.Time) time.Duration {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(io.Discard, conn)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return time.Since(began)
		case <-tick.C:
			if drip != "" {
				conn.Write([]byte(drip))
			}
		}
	}
}

// Heads that are too long are refused as such, and bodies before they are read.
func TestBombs(t *testing.T) {
	p := binary.Serve(t, t.TempDir(), nil, "--demo")
	host := "Host: " + strings.TrimPrefix(p.Base, "http://") + "\r\n"
	for _, tc := range []struct{ name, said, want string }{
		{"a long header", "GET /health HTTP/1.1\r\n" + host + "X-A: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", "431"},
		{"many headers", "GET /health HTTP/1.1\r\n" + host + strings.Repeat("X-A: a\r\n", 20<<10) + "\r\n", "431"},
		{"a long path", "GET /" + strings.Repeat("a", 100<<10) + " HTTP/1.1\r\n" + host + "\r\n", "431"},
		{"a body that says that it is long", "POST /auth/login HTTP/1.1\r\n" + host +
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000000000\r\n\r\na=b", "413"},
		{"a body that is long", "POST /auth/login HTTP/1.1\r\n" + host +
			"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("1000\r\n"+strings.Repeat("a", 4096)+"\r\n", 20), "413"},
		{"two lengths", "POST /auth/login HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
		{"no host", "GET /health HTTP/1.1\r\n\r\n", "400"},
		{"two hosts", "GET /health HTTP/1.1\r\n" + host + host + "\r\n", "400"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.Base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go conn.Write([]byte(tc.said)) // may be refused before it is all said
			answer := make([]byte, 4096)
			conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, err := io.ReadAtLeast(conn, answer, len("HTTP/1.1 431"))
			if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 "+tc.want) {
				t.Errorf("got %q, %v; want %s", answer[:n], err, tc.want)
			}
		})
	}
	wantNothingLeft(t, p)
}
