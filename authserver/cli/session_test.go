package cli

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver/redisstore/redistest"
)

// REF-032 with sessions in Redis: they are listed from there and end in the
// database.
func TestSessionsInRedis(t *testing.T) {
	dir, redisURL := t.TempDir(), redistest.Start(t)
	env := []string{"REDIS_URL=" + redisURL, "SECRET_KEY=aWn0Vd7kQ2xYt5LrEoPz8sUj3bCmHgF6"}
	run := func(stdin string, args ...string) string {
		t.Helper()
		cmd, err := command(dir, env, args...)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return string(out)
	}
	list := func(args ...string) (l sessionList) {
		t.Helper()
		if err := json.Unmarshal([]byte(run("", append([]string{"session", "list", "--user", "alice", "--output", "json"}, args...)...)), &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	run("correct horse battery\n", "user", "add", "alice", "--email", "alice@example.com")
	p := start(t, dir, env)
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	post := func(path string, body url.Values) (status int, refresh string) {
		t.Helper()
		status, answer, err := ask("POST", p.base+path, form, body.Encode())
		if err != nil {
			t.Fatal(err)
		}
		var tokens struct {
			RefreshToken string `json:"refresh_token"`
		}
		json.Unmarshal([]byte(answer), &tokens)
		return status, tokens.RefreshToken
	}
	login := func() string {
		t.Helper()
		status, refresh := post("/auth/login", url.Values{"username": {"alice"}, "password": {"correct horse battery"}})
		if status != 200 {
			t.Fatalf("login: %d", status)
		}
		return refresh
	}
	login()
	one := list()
	if len(one.Sessions) != 1 || one.Sessions[0].ClientID != "first-party" {
		t.Fatalf("got %+v", one)
	}
	second := login()
	run("", "session", "revoke", "--", one.Sessions[0].SID)
	if live := list(); live.Total != 1 || live.Sessions[0].SID == one.Sessions[0].SID {
		t.Errorf("got %+v", live)
	}
	run("", "session", "revoke", "--user", "alice")
	if live, ended := list(), list("--ended"); live.Total != 0 || ended.Total != 2 || ended.Sessions[0].Reason != "revoked" {
		t.Errorf("live %+v, ended %+v", live, ended)
	}
	if status, _ := post("/auth/refresh", url.Values{"refresh_token": {second}}); status != 401 {
		t.Errorf("refresh of an ended session: %d", status)
	}

	// What is removed leaves Redis too: the records have addresses.
	login()
	if keys := sessionKeys(t, redisURL); len(keys) < 2 {
		t.Fatalf("Redis has %q", keys)
	}
	run("", "user", "remove", "alice")
	if keys := sessionKeys(t, redisURL); len(keys) != 0 {
		t.Errorf("Redis still has %q", keys)
	}
}

// sessionKeys are the keys of sessions and of who has some.
func sessionKeys(t *testing.T, url string) []string {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	keys, err := client.Keys(t.Context(), "tw:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, "tw:limit:") })
}
