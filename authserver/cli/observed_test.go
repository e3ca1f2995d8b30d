package cli

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var servingMetrics = regexp.MustCompile(`msg="serving metrics" listen=(\S+)`)

// scraped reads metrics as Prometheus does.
type scraped struct {
	t       *testing.T
	address string
}

func metricsOf(t *testing.T, p *program) scraped {
	t.Helper()
	m := servingMetrics.FindStringSubmatch(p.log.String())
	if m == nil {
		t.Fatalf("no metrics are served: %s", p.log.String())
	}
	return scraped{t, m[1]}
}

// value is a metric's, and empty if there is none.
func (s scraped) value(name string) string {
	s.t.Helper()
	status, text, err := ask("GET", "http://"+s.address+"/metrics", http.Header{}, "")
	if err != nil || status != 200 {
		s.t.Fatalf("metrics: %d, %v", status, err)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, "tokenwright_"+name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (s scraped) want(why, name, want string) {
	s.t.Helper()
	if got := s.value(name); got != want {
		s.t.Errorf("%s: %s is %q, want %q", why, name, got, want)
	}
}

func TestMetrics(t *testing.T) {
	p := start(t, t.TempDir(), []string{"METRICS_LISTEN=127.0.0.1:0"}, "--demo")
	metrics := metricsOf(t, p)
	post := func(path string, status int, form url.Values) (refresh string) {
		t.Helper()
		got, answer, err := ask("POST", p.base+path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form.Encode())
		if err != nil || got != status {
			t.Fatalf("%s: %d %s, %v; want %d", path, got, answer, err, status)
		}
		var tokens struct {
			RefreshToken string `json:"refresh_token"`
		}
		json.Unmarshal([]byte(answer), &tokens)
		return tokens.RefreshToken
	}
	login := url.Values{"grant_type": {"password"}, "username": {"admin"}, "password": {"admin123"}, "client_id": {"demo-service"}, "client_secret": {"wrong"}}
	refresh := func(status int, token string) string {
		t.Helper()
		return post("/oauth/token", status, url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo-app"}, "refresh_token": {token}})
	}

	before := metrics.value("password_hashes_total")
	post("/oauth/token", 401, login)
	metrics.want("PWD-008 a wrong client secret with the right password", "password_hashes_total", before)
	metrics.want("the refusal", `token_requests_total{grant="password",outcome="invalid_client"}`, "1")

	login.Set("client_id", "demo-app")
	login.Del("client_secret")
	first := post("/oauth/token", 200, login)
	if after := metrics.value("password_hashes_total"); after == before {
		t.Errorf("a login: password_hashes_total stays %s", after)
	}
	metrics.want("a login", `token_requests_total{grant="password",outcome="granted"}`, "1")

	second := refresh(200, first)
	if again := refresh(200, first); again != second {
		t.Error("REF-012 a repeat got another token")
	}
	metrics.want("a refresh", `refreshes_total{outcome="rotated"}`, "1")
	metrics.want("REF-012 a repeat", `refreshes_total{outcome="repeated"}`, "1")
	metrics.want("REF-012 a repeat", `refreshes_total{outcome="reused"}`, "0")

	refresh(200, second)
	refresh(400, first)
	metrics.want("a replay", `refreshes_total{outcome="reused"}`, "1")
	metrics.want("the session that it ended", `ended_total{kind="session",reason="reuse"}`, "1")

	wantAnswer(t, p, "/metrics", 404, "Not Found")
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", metrics.address); err == nil {
		conn.Close()
		t.Error("the listener of the metrics outlives the server")
	}
}

// RSV-034: while the issuer is away an API goes on, and says that it has lost it.
func TestMetricsOfTheAPI(t *testing.T) {
	issuer := start(t, t.TempDir(), nil, "--demo")
	p := start(t, t.TempDir(), []string{
		"METRICS_LISTEN=127.0.0.1:0", "ISSUER=" + issuer.issuer, "RESOURCE_CLIENT_ID=demo-service", "RESOURCE_CLIENT_SECRET=demo-service-secret",
	}, "--only", "api")
	metrics := metricsOf(t, p)
	p.log.wait("the revocation feed is followed")
	_, answer, err := ask("POST", issuer.base+"/auth/login", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "username=admin&password=admin123")
	if err != nil {
		t.Fatal(err)
	}
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer), &tokens); err != nil {
		t.Fatal(err)
	}
	private := func() {
		t.Helper()
		status, answer, err := ask("GET", p.base+"/api/private", http.Header{"Authorization": {"Bearer " + tokens.AccessToken}}, "")
		if err != nil || status != 200 {
			t.Errorf("private: %d %s, %v", status, answer, err)
		}
	}
	private()
	metrics.want("with the issuer", `feed_state{state="followed"}`, "1")
	metrics.want("with the issuer", "feed_entries", "0")

	issuer.kill()
	p.log.wait("the revocation feed is lost")
	private()
	metrics.want("without the issuer", `feed_state{state="followed"}`, "0")
	metrics.want("without the issuer", `feed_state{state="lost"}`, "1")
	if metrics.value("feed_staleness_seconds") == "" {
		t.Error("how old the news are is not told")
	}
	metrics.want("the requests", `http_requests_total{method="GET",route="/api/private",status="200"}`, "2")
}

func TestServeRefusesMetricsListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	refused(t, []string{"METRICS_LISTEN=" + taken.Addr().String()}, "METRICS_LISTEN: another program has "+taken.Addr().String())
}
