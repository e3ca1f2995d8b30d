package resource_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

// python is Debian's, which has the packages of python3-fastapi, python3-uvicorn
// and python3-jwt.
const python = "/usr/bin/python3"

// pythonAPI starts docs/python/api.py and returns its address.
func pythonAPI(t *testing.T, s *resourcetest.Server) string {
	t.Helper()
	if err := exec.Command(python, "-c", "import fastapi, uvicorn, jwt, cryptography").Run(); err != nil {
		const missing = "install python3-fastapi, python3-uvicorn, python3-jwt and python3-cryptography"
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatalf("%s: %v", missing, err)
		}
		t.Skip(missing)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := listener.(*net.TCPListener).File() // uvicorn inherits it: no port is guessed
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-m", "uvicorn", "api:app", "--fd", "3", "--lifespan", "off")
	cmd.Dir = "../docs/python"
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1",
		"ISSUER="+s.URL, "AUDIENCE="+s.Audience, "CLIENT_ID="+s.ClientID, "CLIENT_SECRET="+s.ClientSecret)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	socket.Close()
	listener.Close() // the program's copy goes on listening
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return "http://" + listener.Addr().String()
}

func get(t *testing.T, address, token string) (status int, detail, challenge string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body struct {
		Detail string `json:"detail"`
	}
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body.Detail, res.Header.Get("WWW-Authenticate")
}

// until asks again, as long as the promise allows, for what the feed brings.
func until(t *testing.T, within time.Duration, address, token string, want int) time.Duration {
	t.Helper()
	start := time.Now()
	for {
		got, _, _ := get(t, address, token)
		took := time.Since(start)
		if got == want {
			return took
		}
		if took > within {
			t.Fatalf("still %d after %v, want %d", got, took, want)
		}
	}
}

func TestPythonFollower(t *testing.T) {
	if testing.Short() {
		t.Skip("drives another program")
	}
	s := resourcetest.NewServer(t)
	api := pythonAPI(t, s)
	claims := s.User("alice", "user")
	claims.Scope = "read"
	token := s.Mint(claims)
	until(t, 10*time.Second, api+"/me", token, http.StatusOK) // 503 until the first snapshot

	without := claims
	without.Scope = ""
	other := claims
	other.Audience = []string{"https://other.example.test"}
	for _, tc := range []struct {
		name, path, token string
		status            int
		challenge         string
	}{
		{"RSV-001 no token", "/me", "", 401, "Bearer"},
		{"RSV-002 garbage", "/me", "x", 401, `Bearer error="invalid_token"`},
		{"RSV-012 another API's", "/me", s.Mint(other), 401, `Bearer error="invalid_token"`},
		{"RSV-007 without the scope", "/orders", s.Mint(without), 403, `Bearer error="insufficient_scope", scope="read"`},
		{"with the scope", "/orders", token, 200, ""},
		{"an unknown key", "/me", s.Token(resourcetest.New(t).AddKey("x", "ES256"), claims), 401, `Bearer error="invalid_token"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, _, challenge := get(t, api+tc.path, tc.token)
			if status != tc.status || challenge != tc.challenge {
				t.Errorf("got %d %q", status, challenge)
			}
		})
	}

	var most time.Duration
	for i := range 20 {
		c := s.User(fmt.Sprint(i), "user")
		token := s.Mint(c)
		if status, _, _ := get(t, api+"/me", token); status != http.StatusOK {
			t.Fatalf("token %d: %d", i, status)
		}
		s.Revoke(session(fmt.Sprint(i)))
		most = max(most, until(t, time.Second, api+"/me", token, http.StatusUnauthorized))
	}
	t.Logf("RSV-035 revoked until refused: at most %v of 20", most)

	s.Stop()
	s.Revoke(resource.Revocation{Kind: resource.KindUser, ID: claims.Subject, Epoch: 2, Reason: resource.ReasonUserDisabled})
	if status, _, _ := get(t, api+"/me", token); status != http.StatusOK {
		t.Errorf("RSV-034 the issuer is away: %d", status)
	}
	s.Start()
	took := until(t, 2*time.Second, api+"/me", token, http.StatusUnauthorized)
	t.Logf("the issuer's return until refused: %v", took)
	if _, detail, _ := get(t, api+"/me", token); detail != "Inactive user" {
		t.Errorf("RSV-036 a disabled user is told %q", detail)
	}
}
