package httpapi_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenwright/tokenwright/authserver/limit"
)

func TestLogin(t *testing.T) {
	f := newFixture(t)
	t.Run("ACC-007 name and password are enough", func(t *testing.T) {
		a := f.form("/auth/login", "username", "alice", "password", userPass).want(t, 200)
		got := decode[tokens](t, a)
		if got.AccessToken == "" || !strings.HasPrefix(got.RefreshToken, "twr_") || got.TokenType != "bearer" || got.ExpiresIn != 1800 || got.Scope == "" {
			t.Errorf("body %s", a.body)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" {
			t.Errorf("headers %v", a.Header)
		}
	})
	t.Run("ACC-007 the e-mail address does too, and the form may be multipart", func(t *testing.T) {
		body := "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nalice@example.test\r\n" +
			"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + userPass + "\r\n--b--\r\n"
		f.do("POST", "/auth/login", body, "Content-Type: multipart/form-data; boundary=b").want(t, 200)
	})
	for _, tc := range []struct {
		name  string
		pairs []string
	}{
		{"ACC-007 a wrong password", []string{"username", "alice", "password", "wrong"}},
		{"ACC-007 an unknown name", []string{"username", "nobody", "password", userPass}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := f.form("/auth/login", tc.pairs...).detail(t, 401, "Incorrect username or password")
			if a.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("challenge %q", a.Header.Get("WWW-Authenticate"))
			}
		})
	}
	t.Run("a client that there is not, or that may not, is an invalid client", func(t *testing.T) {
		f.form("/auth/login", "username", "alice", "password", userPass, "client_id", "nobody").detail(t, 401, "Invalid client")
		f.form("/auth/login", "username", "alice", "password", userPass, "client_id", "conf", "client_secret", "wrong").detail(t, 401, "Invalid client")
		f.form("/auth/login", "username", "alice", "password", userPass, "client_id", "conf", "client_secret", confSecret).want(t, 200)
	})
	t.Run("a scope that may not be had is refused", func(t *testing.T) {
		f.form("/auth/login", "username", "alice", "password", userPass, "scope", "nuclear").detail(t, 400, "Invalid scope")
	})
}

func TestInvalidInput(t *testing.T) {
	f := newFixture(t)
	user := f.login("alice", userPass)
	const secret = "s3cr3t-marker-5e1f"
	good := `{"email":"new@example.test","username":"new","password":"` + secret + ` long"}`
	type loc = []any
	for _, tc := range []struct {
		name, path, body, media string
		loc                     loc
		kind                    string
	}{
		{"login without a password", "/auth/login", "username=" + secret, formType, loc{"body", "password"}, "missing"},
		{"login with an empty name", "/auth/login", "username=&password=" + secret, formType, loc{"body", "username"}, "missing"},
		{"login as JSON", "/auth/login", `{"password":"` + secret + `"}`, jsonType, loc{"body"}, "value_error"},
		{"login with a name twice", "/auth/login", "username=a&username=b&password=" + secret, formType, loc{"body"}, "value_error"},
		{"login with another grant", "/auth/login", "grant_type=magic&username=a&password=" + secret, formType, loc{"body", "grant_type"}, "value_error"},
		{"login that is not UTF-8", "/auth/login", "username=%ff&password=" + secret, formType, loc{"body"}, "value_error"},
		{"register without a body", "/auth/register", "", jsonType, loc{"body"}, "missing"},
		{"register without an e-mail address", "/auth/register", strings.Replace(good, `"email":"new@example.test",`, "", 1), jsonType, loc{"body", "email"}, "missing"},
		{"register with a number for a password", "/auth/register", `{"email":"new@example.test","username":"new","password":12345678}`, jsonType, loc{"body", "password"}, "string_type"},
		{"register with a text for roles", "/auth/register", strings.Replace(good, "{", `{"roles":"`+secret+`",`, 1), jsonType, loc{"body", "roles"}, "array_type"},
		{"register with a text for is_active", "/auth/register", strings.Replace(good, "{", `{"is_active":"`+secret+`",`, 1), jsonType, loc{"body", "is_active"}, "boolean_type"},
		{"ACC-004 register with JSON that breaks off", "/auth/register", good[:len(good)-2], jsonType, loc{"body"}, "json_invalid"},
		{"ACC-004 register with an array", "/auth/register", `["` + secret + `"]`, jsonType, loc{"body"}, "object_type"},
		{"register that is not UTF-8", "/auth/register", strings.Replace(good, "long", "\xff", 1), jsonType, loc{"body"}, "json_invalid"},
		{"register as a form", "/auth/register", "password=" + secret, formType, loc{"body"}, "json_invalid"},
		{"ACC-002 register with a short password", "/auth/register", strings.Replace(good, secret+" long", "5e1fabc", 1), jsonType, loc{"body", "password"}, "string_too_short"},
		{"ACC-002 register with a common password", "/auth/register", strings.Replace(good, secret+" long", "password1", 1), jsonType, loc{"body", "password"}, "password_too_common"},
		{"ACC-005 register a name with an @", "/auth/register", strings.Replace(good, `"new"`, `"a@b"`, 1), jsonType, loc{"body", "username"}, "string_pattern_mismatch"},
		{"refresh without a token", "/auth/refresh", "", formType, loc{"body", "refresh_token"}, "missing"},
		{"refresh with a number", "/auth/refresh", `{"refresh_token":1}`, jsonType, loc{"body", "refresh_token"}, "string_type"},
		{"refresh with JSON that breaks off", "/auth/refresh", `{"refresh_token":"` + secret, jsonType, loc{"body"}, "json_invalid"},
		{"password without the new one", "/auth/password", `{"current_password":"` + secret + `"}`, jsonType, loc{"body", "new_password"}, "missing"},
		{"password that is common", "/auth/password", `{"current_password":"` + userPass + `","new_password":"password1"}`, jsonType, loc{"body", "new_password"}, "password_too_common"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := f.do("POST", tc.path, tc.body, tc.media, bearer(user.AccessToken)).want(t, 422)
			got := decode[struct {
				Detail []struct {
					Loc       []any
					Msg, Type string
				}
			}](t, a)
			if len(got.Detail) != 1 {
				t.Fatalf("body %s", a.body)
			}
			d := got.Detail[0]
			if !cmp.Equal(d.Loc, tc.loc) || d.Type != tc.kind || d.Msg == "" {
				t.Errorf("body %s, want %v %s", a.body, tc.loc, tc.kind)
			}
			if strings.Contains(a.body, secret) || strings.Contains(a.body, "5e1f") {
				t.Errorf("ACC-004: the answer echoes what was sent: %s", a.body)
			}
		})
	}
	t.Run("a page that is none", func(t *testing.T) {
		admin := bearer(f.login("admin", adminPass).AccessToken)
		for _, query := range []string{"limit=0", "limit=1001", "limit=" + secret, "offset=-1"} {
			a := f.do("GET", "/api/users?"+query, "", admin).want(t, 422)
			if strings.Contains(a.body, secret) {
				t.Errorf("echo: %s", a.body)
			}
		}
	})
	if log := f.log.String(); strings.Contains(log, secret) || strings.Contains(log, userPass) || strings.Contains(log, user.AccessToken) {
		t.Error("ACC-011: a password or a token is in the log")
	}
}

func TestRegister(t *testing.T) {
	f := newFixture(t)
	t.Run("a new account", func(t *testing.T) {
		a := f.do("POST", "/auth/register", `{"email":"newuser@example.com","username":"newuser","password":"securepass123","full_name":"New User"}`, jsonType).want(t, 200)
		want := `{"id":4,"username":"newuser","email":"newuser@example.com","full_name":"New User","roles":["user"],"is_active":true}`
		if got := strings.TrimSpace(a.body); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		f.login("NEWUSER@example.com", "securepass123")
	})
	t.Run("ACC-001 the defaults may be named, and no name is null", func(t *testing.T) {
		a := f.do("POST", "/auth/register", `{"email":"b@example.com","username":"b","password":"securepass123","full_name":null,"roles":["user"],"is_active":true,"theme":"dark"}`, jsonType).want(t, 200)
		if !strings.Contains(a.body, `"full_name":null`) {
			t.Errorf("body %s", a.body)
		}
	})
	t.Run("ACC-005 what is taken is taken in every case", func(t *testing.T) {
		f.do("POST", "/auth/register", `{"email":"ALICE@example.test","username":"other","password":"securepass123"}`, jsonType).detail(t, 400, "Email already registered")
		f.do("POST", "/auth/register", `{"email":"other@example.test","username":"Alice","password":"securepass123"}`, jsonType).detail(t, 400, "Username already taken")
	})

	admin, user := f.login("admin", adminPass).AccessToken, f.login("alice", userPass).AccessToken
	for _, extra := range []string{`"roles":["admin"]`, `"roles":[]`, `"is_active":false`, `"id":1`, `"id":"x"`, `"ROLES":["admin"]`} {
		t.Run("ACC-001 only an admin may ask for "+extra, func(t *testing.T) {
			body := `{"email":"c@example.com","username":"c","password":"securepass123",` + extra + `}`
			f.do("POST", "/auth/register", body, jsonType).detail(t, 403, "Insufficient permissions")
			f.do("POST", "/auth/register", body, jsonType, bearer(user)).detail(t, 403, "Insufficient permissions")
			f.do("POST", "/auth/register", body, jsonType, bearer("garbage")).detail(t, 403, "Insufficient permissions")
			f.do("POST", "/auth/register", body, jsonType, bearer(f.clientToken())).detail(t, 403, "Insufficient permissions")
		})
	}
	t.Run("ACC-001 nothing was made, and an admin may", func(t *testing.T) {
		body := `{"email":"c@example.com","username":"c","password":"securepass123","roles":["editor"],"is_active":false}`
		a := f.do("POST", "/auth/register", body, jsonType, bearer(admin)).want(t, 200)
		if !strings.Contains(a.body, `"roles":["editor"],"is_active":false`) {
			t.Errorf("body %s", a.body)
		}
	})
	t.Run("closed, it is the admins' alone", func(t *testing.T) {
		f := newFixture(t, func(s *setup) { s.settings.RegistrationClosed = true })
		body := `{"email":"c@example.com","username":"c","password":"securepass123"}`
		f.do("POST", "/auth/register", body, jsonType).detail(t, 403, "Registration is closed; an administrator can make the account")
		f.do("POST", "/auth/register", body, jsonType, bearer(f.login("alice", userPass).AccessToken)).detail(t, 403, "Registration is closed; an administrator can make the account")
		f.do("POST", "/auth/register", body, jsonType, bearer(f.login("admin", adminPass).AccessToken)).want(t, 200)
	})
}

func TestRefresh(t *testing.T) {
	f := newFixture(t)
	for _, tc := range []struct {
		name  string
		ask   func(token string) answer
		query bool
	}{
		{"in a form", func(token string) answer { return f.form("/auth/refresh", "refresh_token", token) }, false},
		{"in JSON", func(token string) answer {
			return f.do("POST", "/auth/refresh", `{"refresh_token":"`+token+`"}`, jsonType)
		}, false},
		{"in the query", func(token string) answer { return f.do("POST", "/auth/refresh?refresh_token="+token, "") }, true},
	} {
		t.Run("ACC-008 a refresh token "+tc.name, func(t *testing.T) {
			first := f.login("alice", userPass)
			a := tc.ask(first.RefreshToken).want(t, 200)
			next := decode[tokens](t, a)
			if next.RefreshToken == first.RefreshToken || next.AccessToken == first.AccessToken || next.TokenType != "bearer" {
				t.Errorf("body %s", a.body)
			}
			if got := a.Header.Get("Deprecation"); (got != "") != tc.query || (tc.query && got[0] != '@') {
				t.Errorf("Deprecation %q", got)
			}
			if a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", a.Header.Get("Cache-Control"))
			}
		})
	}
	t.Run("what is no token", func(t *testing.T) {
		f.form("/auth/refresh", "refresh_token", "garbage").detail(t, 401, "Invalid refresh token")
		f.form("/auth/refresh", "refresh_token", f.login("alice", userPass).AccessToken).detail(t, 401, "Invalid refresh token")
	})
	t.Run("REF-033 a confidential client's session needs its authentication", func(t *testing.T) {
		a := f.form("/oauth/token", "grant_type", "password", "username", "alice", "password", userPass, "client_id", "conf", "client_secret", confSecret).want(t, 200)
		token := decode[tokens](t, a).RefreshToken
		f.form("/auth/refresh", "refresh_token", token).detail(t, 401, "Invalid refresh token")
		f.form("/auth/refresh", "refresh_token", token, "client_id", "conf", "client_secret", "wrong").detail(t, 401, "Invalid refresh token")
		f.form("/auth/refresh", "refresh_token", token, "client_id", "conf", "client_secret", confSecret).want(t, 200)
	})
	t.Run("a disabled user", func(t *testing.T) {
		token := f.login("moderator", userPass)
		f.disable("moderator")
		f.form("/auth/refresh", "refresh_token", token.RefreshToken).detail(t, 401, "User not found or inactive")
		f.do("GET", "/auth/me", "", bearer(token.AccessToken)).detail(t, 401, "Inactive user")
		f.form("/auth/login", "username", "moderator", "password", userPass).detail(t, 401, "Incorrect username or password")
	})
	t.Run("ACC-008 PWD-015 strict takes none from the query and no login", func(t *testing.T) {
		f := newFixture(t, func(s *setup) { s.settings.Strict = true })
		f.do("POST", "/auth/refresh?refresh_token=x", "").detail(t, 400, "Send refresh_token in the body, not in the query")
		f.form("/auth/refresh", "refresh_token", "x").detail(t, 401, "Invalid refresh token")
		f.form("/auth/login", "username", "alice", "password", userPass).detail(t, 404, "Not Found")
	})
}

func (f *fixture) disable(username string) {
	f.t.Helper()
	u, err := f.users.Find(f.t.Context(), username)
	check(f.t, err)
	check(f.t, f.users.Disable(f.t.Context(), u.Subject, "test"))
}

func TestOwnAccount(t *testing.T) {
	f := newFixture(t)
	first, second := f.login("alice", userPass), f.login("alice", userPass)
	t.Run("me", func(t *testing.T) {
		a := f.do("GET", "/auth/me", "", bearer(first.AccessToken)).want(t, 200)
		want := `{"id":3,"username":"alice","email":"alice@example.test","full_name":"Alice Example","roles":["user"],"is_active":true}`
		if got := strings.TrimSpace(a.body); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("ACC-013 sessions", func(t *testing.T) {
		a := f.do("GET", "/auth/sessions", "", bearer(first.AccessToken), "User-Agent: test").want(t, 200)
		got := decode[struct {
			Sessions []map[string]any
			Total    int
		}](t, a)
		if got.Total != 2 || len(got.Sessions) != 2 {
			t.Fatalf("body %s", a.body)
		}
		current := 0
		for _, s := range got.Sessions {
			keys := strings.Join(slices.Sorted(maps.Keys(s)), " ")
			if keys != "amr auth_time client_id created_at current ip last_used_at sid user_agent" {
				t.Errorf("members %s", keys)
			}
			if s["current"] == true {
				current++
			}
			if s["client_id"] != "first-party" || s["ip"] != "127.0.0.1" {
				t.Errorf("session %v", s)
			}
		}
		if current != 1 {
			t.Errorf("%d sessions are current", current)
		}
	})
	t.Run("ACC-013 another's session, or none, is not found", func(t *testing.T) {
		a := f.do("GET", "/auth/sessions", "", bearer(f.login("moderator", userPass).AccessToken)).want(t, 200)
		other := decode[struct{ Sessions []struct{ SID string } }](t, a).Sessions[0].SID
		f.do("DELETE", "/auth/sessions/"+other, "", bearer(first.AccessToken)).detail(t, 404, "Not Found")
		f.do("DELETE", "/auth/sessions/nonsense", "", bearer(first.AccessToken)).detail(t, 404, "Not Found")
	})
	t.Run("ACC-013 ending the others leaves this", func(t *testing.T) {
		if a := f.do("DELETE", "/auth/sessions", "", bearer(first.AccessToken)).want(t, 204); a.body != "" {
			t.Errorf("body %q", a.body)
		}
		f.do("GET", "/auth/me", "", bearer(second.AccessToken)).detail(t, 401, "Could not validate credentials")
		f.form("/auth/refresh", "refresh_token", second.RefreshToken).detail(t, 401, "Invalid refresh token")
		f.do("GET", "/auth/me", "", bearer(first.AccessToken)).want(t, 200)
	})
	t.Run("ACC-013 one's session may be ended by name", func(t *testing.T) {
		third := f.login("alice", userPass)
		a := f.do("GET", "/auth/sessions", "", bearer(third.AccessToken)).want(t, 200)
		for _, s := range decode[struct {
			Sessions []struct {
				SID     string
				Current bool
			}
		}](t, a).Sessions {
			if s.Current {
				f.do("DELETE", "/auth/sessions/"+s.SID, "", bearer(first.AccessToken)).want(t, 204)
			}
		}
		f.do("GET", "/auth/me", "", bearer(third.AccessToken)).want(t, 401)
	})
	t.Run("a change of password ends the others", func(t *testing.T) {
		other := f.login("alice", userPass)
		wrong := `{"current_password":"wrong","new_password":"another horse battery"}`
		f.do("POST", "/auth/password", wrong, jsonType, bearer(first.AccessToken)).detail(t, 400, "Incorrect password")
		right := `{"current_password":"` + userPass + `","new_password":"another horse battery"}`
		f.do("POST", "/auth/password", right, jsonType, bearer(first.AccessToken)).want(t, 204)
		f.do("GET", "/auth/me", "", bearer(other.AccessToken)).want(t, 401)
		f.do("GET", "/auth/me", "", bearer(first.AccessToken)).want(t, 200)
		f.form("/auth/login", "username", "alice", "password", userPass).want(t, 401)
		f.login("alice", "another horse battery")
	})
	t.Run("a logout ends the session with its tokens", func(t *testing.T) {
		f.do("POST", "/auth/logout", "", bearer(first.AccessToken)).want(t, 204)
		f.do("GET", "/api/private", "", bearer(first.AccessToken)).detail(t, 401, "Could not validate credentials")
		f.form("/auth/refresh", "refresh_token", first.RefreshToken).detail(t, 401, "Invalid refresh token")
	})
}

func TestGuardedRoutes(t *testing.T) {
	f := newFixture(t)
	token := map[string]string{
		"alice": f.login("alice", userPass).AccessToken, "moderator": f.login("moderator", userPass).AccessToken,
		"admin": f.login("admin", adminPass).AccessToken, "conf": f.clientToken(),
	}
	for _, tc := range []struct {
		method, path string
		allowed      string // whose tokens pass
	}{
		{"GET", "/api/private", "alice moderator admin conf"},
		{"GET", "/api/admin", "admin"},
		{"GET", "/api/moderator", "moderator admin"},
		{"GET", "/api/users", "admin"},
		{"GET", "/auth/users", "admin"},
		{"GET", "/auth/me", "alice moderator admin"},
		{"GET", "/auth/sessions", "alice moderator admin"},
		{"DELETE", "/auth/sessions", "alice moderator admin"},
		{"POST", "/auth/logout", ""},
		{"POST", "/auth/password", ""},
	} {
		t.Run("ACC-009 RSV-001 RSV-002 RSV-008 "+tc.method+" "+tc.path, func(t *testing.T) {
			a := f.do(tc.method, tc.path, "").detail(t, 401, "Not authenticated")
			if got := a.Header.Get("WWW-Authenticate"); got != `Bearer resource_metadata="`+issuer+`/.well-known/oauth-protected-resource/api"` {
				t.Errorf("RSV-027 challenge %q", got)
			}
			a = f.do(tc.method, tc.path, "", bearer("garbage")).detail(t, 401, "Could not validate credentials")
			if got := a.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) {
				t.Errorf("challenge %q", got)
			}
			for who, tok := range token {
				if tc.allowed == "" && who != "conf" {
					continue // would end or change what the other rows need
				}
				if strings.Contains(tc.allowed, who) {
					a := f.do(tc.method, tc.path, "", bearer(tok))
					if a.StatusCode/100 != 2 {
						t.Errorf("%s: status %d, body %s", who, a.StatusCode, a.body)
					}
					if a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Authorization") {
						t.Errorf("RSV-031 headers %v", a.Header)
					}
					continue
				}
				a := f.do(tc.method, tc.path, "", bearer(tok)).detail(t, 403, "Insufficient permissions")
				if got := a.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="insufficient_scope"`) {
					t.Errorf("%s: challenge %q", who, got)
				}
			}
		})
	}
	t.Run("RSV-039 HEAD is guarded like GET, and has no body", func(t *testing.T) {
		f.do("HEAD", "/api/private", "").want(t, 401)
		if a := f.do("HEAD", "/api/private", "", bearer(token["alice"])).want(t, 200); a.body != "" || a.ContentLength <= 0 {
			t.Errorf("body %q, length %d", a.body, a.ContentLength)
		}
	})
	t.Run("RSV-042 nothing passes before what has ended is known", func(t *testing.T) {
		g := newFixture(t, func(s *setup) { s.ready = false })
		a := g.do("GET", "/api/private", "", bearer(g.login("alice", userPass).AccessToken)).want(t, 503)
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestBundledAPI(t *testing.T) {
	f := newFixture(t)
	alice, moderator, admin := f.login("alice", userPass), f.login("moderator", userPass), f.login("admin", adminPass)
	for _, tc := range []struct{ path, token, want string }{
		{"/api/public", "", `{"message":"This is a public endpoint"}`},
		{"/api/private", alice.AccessToken, `{"message":"Hello Alice Example!","user_id":3,"roles":["user"]}`},
		{"/api/private", moderator.AccessToken, `{"message":"Hello moderator!","user_id":2,"roles":["moderator"]}`},
		{"/api/private", f.clientToken(), `{"message":"Hello conf!","user_id":null,"roles":[]}`},
		{"/api/admin", admin.AccessToken, `{"message":"Admin access granted","admin_user":"admin","sensitive_data":"This is admin-only information"}`},
		{"/api/moderator", moderator.AccessToken, `{"message":"Moderator access granted","user":"moderator","roles":["moderator"],"moderation_tools":["ban_user","delete_post","edit_content"]}`},
		{"/api/users?limit=1&offset=1", admin.AccessToken, `{"users":[{"id":2,"username":"moderator","email":"moderator@example.test","full_name":null,"roles":["moderator"],"is_active":true}],"total":3}`},
		{"/auth/users?limit=1&offset=9", admin.AccessToken, `{"users":[],"total":3}`},
	} {
		t.Run("ACC-009 "+tc.path, func(t *testing.T) {
			var headers []string
			if tc.token != "" {
				headers = []string{bearer(tc.token)}
			}
			a := f.do("GET", tc.path, "", headers...).want(t, 200)
			if got := strings.TrimSpace(a.body); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if !json.Valid([]byte(a.body)) {
				t.Error("not JSON")
			}
		})
	}
}

func TestThrottling(t *testing.T) {
	f := newFixture(t, func(s *setup) { s.loginRate = limit.Rule{Name: "login", Burst: 2, Per: time.Minute} })
	for range 2 {
		f.form("/auth/login", "username", "alice", "password", "wrong").want(t, 401)
	}
	t.Run("PWD-009 too many failures are told to wait, at either login", func(t *testing.T) {
		a := f.form("/auth/login", "username", "alice", "password", userPass).detail(t, 429, "Too many attempts. Try again later.")
		if a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		a = f.form("/oauth/token", "grant_type", "password", "client_id", "spa", "username", "alice", "password", userPass).want(t, 429)
		if a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "temporarily_unavailable") {
			t.Errorf("Retry-After %q, body %s", a.Header.Get("Retry-After"), a.body)
		}
	})
}
