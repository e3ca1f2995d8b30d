package pages

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tokenwright/tokenwright/e2e/chromium"
)

// TestScripts holds what the scripts add (PAG-001), and that the page of
// form_post arrives with and without one (AUT-033).
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("Chromium is a program of its own, in which the race detector sees nothing")
	}
	t.Run("a password can be shown", func(t *testing.T) {
		origin := site(t, newRenderer(t), states())
		tab := newTab(t)
		for _, page := range []string{"login-wrong", "register"} {
			tab.looks(t, 320, "light", "de")
			value := func(js string) string {
				got, err := chromedp.Run(tab, chromedp.Evaluate[string](js))
				if err != nil {
					t.Fatalf("%s: %v", js, err)
				}
				return got
			}
			err := chromedp.Do(tab,
				chromedp.Navigate(origin+"/auth/"+page),
				chromedp.SendKeys(chromedp.CSS("#password"), "correct horse"),
				chromedp.Click(chromedp.CSS("[data-reveal]"), chromedp.NodeVisible),
			)
			if err != nil {
				t.Fatal(err)
			}
			if got := value(`password.type + " " + document.activeElement.id`); got != "text password" {
				t.Errorf("%s: after Show the field and the focus are %q", page, got)
			}
			tab.screenshot(t, page+"-shown")
			tab.measure(t, 320)
			chromium.Axe(t, tab, page)
			if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS("[data-reveal]"))); err != nil {
				t.Fatal(err)
			}
			if got := value(`password.type + " " + password.value`); got != "password correct horse" {
				t.Errorf("%s: after Hide it is %q", page, got)
			}
			tab.quiet(t, origin)
		}
	})

	for _, scripts := range []bool{true, false} {
		name := map[bool]string{true: "with", false: "without"}[scripts]
		t.Run("the answer by form arrives "+name+" a script", func(t *testing.T) {
			fields := []Field{{"code", "twc_x"}, {"state", `a&"b"<c>'d' %20 + ü`}, {"iss", "https://id.example.test/auth"}}
			arrived := make(chan url.Values, 1)
			client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == "/cb" && r.URL.Query().Get("of") == "it" {
					_ = r.ParseForm()
					arrived <- r.PostForm
				}
			}))
			t.Cleanup(client.Close)
			origin := site(t, newRenderer(t), []state{{"answer", FormPost{Action: client.URL + "/cb?of=it&x=%7E", ClientName: "Example Shop", Fields: fields}}})
			tab := newTab(t)
			tab.scripts(t, scripts)
			err := chromedp.Do(tab, chromedp.Navigate(origin+"/auth/answer"))
			if err == nil && !scripts {
				err = chromedp.Do(tab, chromedp.Click(chromedp.CSS("#continue"), chromedp.NodeVisible))
			}
			if err != nil && !strings.Contains(err.Error(), "ERR_ABORTED") { // the script was faster
				t.Fatal(err)
			}
			var got url.Values
			select {
			case got = <-arrived:
			case <-tab.Done():
				t.Fatal("nothing has arrived")
			}
			for _, f := range fields {
				if got.Get(f.Name) != f.Value {
					t.Errorf("%s=%q, want %q", f.Name, got.Get(f.Name), f.Value)
				}
			}
			if len(got) != len(fields) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestFormsWithoutScripts holds what each way to send the login form sends
// (AUT-036): Enter is no Cancel, and who cancels need not fill in anything.
func TestFormsWithoutScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("Chromium is a program of its own, in which the race detector sees nothing")
	}
	sent := make(chan url.Values, 1)
	r := newRenderer(t)
	mux := http.NewServeMux()
	mux.Handle("/auth/static/", r.Static())
	mux.HandleFunc("GET /auth/authorize", func(w http.ResponseWriter, req *http.Request) {
		r.Render(w, req, http.StatusOK, Login{Common: Common{InRequest: true}, Hidden: hidden, Cancel: true})
	})
	mux.HandleFunc("POST /auth/authorize", func(w http.ResponseWriter, req *http.Request) {
		_ = req.ParseForm()
		req.PostForm.Set("query", req.URL.RawQuery)
		sent <- req.PostForm
		r.Render(w, req, http.StatusOK, SignedOut{})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	tab := newTab(t)
	tab.scripts(t, false)
	for _, tc := range []struct {
		name string
		do   []chromedp.Action[chromedp.Void]
		want map[string]string
	}{
		{"Enter logs in", []chromedp.Action[chromedp.Void]{
			chromedp.SendKeys(chromedp.CSS("#username"), "alice"),
			chromedp.SendKeys(chromedp.CSS("#password"), "correct horse\r"),
		}, map[string]string{"act": "login", "username": "alice", "password": "correct horse", "tw": hidden[0].Value, "query": "client_id=shop&state=%C3%BC"}},
		{"Cancel cancels", []chromedp.Action[chromedp.Void]{
			chromedp.Click(chromedp.CSS("#cancel")),
		}, map[string]string{"act": "cancel", "tw": hidden[0].Value, "query": "client_id=shop&state=%C3%BC"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := chromedp.Do(tab, chromedp.Navigate(server.URL+"/auth/authorize?client_id=shop&state=%C3%BC")); err != nil {
				t.Fatal(err)
			}
			if err := chromedp.Do(tab, tc.do...); err != nil {
				t.Fatal(err)
			}
			var got url.Values
			select {
			case got = <-sent:
			case <-tab.Done():
				t.Fatal("nothing was sent")
			}
			for name, want := range tc.want {
				if got.Get(name) != want {
					t.Errorf("%s=%q, want %q", name, got.Get(name), want)
				}
			}
		})
	}
}
