package ginauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/ginauth"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

func TestRequire(t *testing.T) {
	issuer := resourcetest.New(t)
	key := issuer.AddKey("k1", "ES256")
	ended := resource.NewEnded()
	ended.Ready()
	v, err := resource.NewVerifier(resource.VerifierConfig{
		Issuer: issuer.URL, Audience: issuer.Audience, Keys: issuer, Ended: ended,
	})
	if err != nil {
		t.Fatal(err)
	}
	guard := resource.NewGuard(v, "https://api.example.test/metadata")
	good := issuer.Token(key, issuer.User("alice", "user"))

	for _, tc := range []struct {
		name, authorization string
		rules               []resource.Rule
		status              int
		challenge, body     string
		logged              int
	}{
		{"RSV-003 a good token", "Bearer " + good, nil, 200, "", "alice", 0},
		{
			"RSV-001 no token", "", nil, 401,
			`Bearer resource_metadata="https://api.example.test/metadata"`, `{"detail":"Not authenticated"}`, 0,
		},
		{
			"RSV-002 a bad token", "Bearer x", nil, 401,
			`Bearer error="invalid_token", resource_metadata="https://api.example.test/metadata"`,
			`{"detail":"Could not validate credentials"}`, 1,
		},
		{
			"RSV-008 another role", "Bearer " + good, []resource.Rule{resource.AnyRole("admin")}, 403,
			`Bearer error="insufficient_scope", resource_metadata="https://api.example.test/metadata"`,
			`{"detail":"Insufficient permissions"}`, 0,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gin.SetMode(gin.ReleaseMode)
			logged := 0
			engine := gin.New()
			engine.Use(func(c *gin.Context) { c.Next(); logged = len(c.Errors) })
			engine.GET("/", ginauth.Require(guard, tc.rules...), func(c *gin.Context) {
				if _, ok := resource.ClaimsFrom(c.Request.Context()); !ok {
					t.Error("no claims in the request's context")
				}
				c.String(http.StatusOK, ginauth.Claims(c).Username)
			})
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if tc.authorization != "" {
				r.Header.Set("Authorization", tc.authorization)
			}
			w := httptest.NewRecorder()
			engine.ServeHTTP(w, r)
			if w.Code != tc.status || w.Body.String() != tc.body || w.Header().Get("WWW-Authenticate") != tc.challenge {
				t.Errorf("got %d %q %q", w.Code, w.Header().Get("WWW-Authenticate"), w.Body)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Vary") != "Authorization" {
				t.Errorf("RSV-031 headers %v", w.Header())
			}
			if logged != tc.logged {
				t.Errorf("%d errors for the log, want %d", logged, tc.logged)
			}
		})
	}
}

func TestClaimsBehindNoGuard(t *testing.T) {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	if ginauth.Claims(c) != nil {
		t.Error("claims from nowhere")
	}
}
