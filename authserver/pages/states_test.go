package pages

import (
	"fmt"
	"strings"
	"time"
)

// state is a page as it can be seen.
type state struct {
	name string
	page Page
}

var menu = Menu{
	Username: "alice", AccountURL: "/auth/account", SessionsURL: "/auth/account/sessions",
	AppsURL: "/auth/account/apps", LogoutURL: "/auth/logout",
}

var hidden = []Field{{"tw", "0123456789abcdef"}, {"shown", "fedcba9876543210"}}

// states are all pages in all states that look different.
func states() []state {
	day := 24 * time.Hour
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	login := Login{
		Common: Common{InRequest: true}, Action: "/auth/oauth/authorize?client_id=shop&state=a%20b", Hidden: hidden,
		ClientName: "Example Shop", Cancel: true, RegisterURL: "/auth/register",
	}
	with := func(change func(*Login)) Login { l := login; change(&l); return l }
	scopes := []Scope{
		{Name: "openid"}, {Name: "email", Known: true}, {Name: "offline_access"},
		{Name: "read", Description: "Read your orders and invoices"}, {Name: "orders:write"},
	}
	consent := Consent{
		Hidden: hidden, ClientName: "Example Shop", ClientID: "shop", RedirectURI: "https://shop.example.test/cb",
		Username: "alice", Scopes: scopes, Resources: []string{"https://api.example.test", "https://orders.example.test/v2"},
	}
	native := consent
	native.ClientName, native.RedirectURI, native.Scopes, native.Resources = "", "http://127.0.0.1/cb", nil, nil
	register := Register{Action: "/auth/register", Hidden: hidden, LoginURL: "/auth/login"}
	faulty := register
	faulty.Username, faulty.Email, faulty.FullName = "a b", "alice@", "Alice Example"
	faulty.Faults = []Fault{
		{"username", "string_pattern_mismatch", "use letters"}, {"email", "value_error", "give an address"},
		{"password", "no such type", "said by the account package"},
	}
	late := register
	late.Problem, late.RetryAfter = Throttled, 40*time.Minute
	sessions := Sessions{Menu: menu, Action: "/auth/account/sessions", List: []SessionRow{
		{ID: "s1", Browser: true, Current: true, Device: "Firefox (Linux)", IP: "203.0.113.9", CreatedAt: ago(3 * time.Hour), LastUsedAt: ago(time.Second)},
		{ID: "s2", ParentID: "s1", Client: "Example Shop", Device: "Firefox (Linux)", IP: "203.0.113.9", CreatedAt: ago(3 * time.Hour), LastUsedAt: ago(time.Minute)},
		{ID: "s3", ParentID: "s1", Client: "Example Mail", IP: "203.0.113.9", CreatedAt: ago(2 * time.Hour), LastUsedAt: ago(25 * time.Minute)},
		{ID: "s4", Browser: true, Device: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1", IP: "2001:db8:1234:5678:9abc:def0:1234:5678", CreatedAt: ago(8 * day), LastUsedAt: ago(day)},
		{ID: "s5", Client: "example-cli", Device: "example-cli/1.2", IP: "198.51.100.7", CreatedAt: ago(40 * day), LastUsedAt: ago(6 * day)},
		{ID: "s6", Browser: true},
	}}
	alone := Sessions{Menu: menu, List: sessions.List[:1], Done: SessionsEnded}
	apps := Apps{Menu: menu, Action: "/auth/account/apps", List: []AppRow{
		{ClientID: "shop", Name: "Example Shop", Scopes: scopes[2:], Resources: consent.Resources, GrantedAt: ago(40 * day)},
		{ClientID: "mail"},
	}}

	all := []state{
		{"login", login},
		{"login-account", Login{Username: "alice"}},
		{"login-wrong", with(func(l *Login) { l.Username, l.Problem = "alice", Wrong })},
		{"login-throttled", with(func(l *Login) { l.Username, l.Problem, l.RetryAfter = "alice", Throttled, 45*time.Second })},
		{"login-busy", with(func(l *Login) { l.Username, l.Problem, l.RetryAfter = "alice", Busy, time.Second })},
		{"login-unavailable", with(func(l *Login) { l.Username, l.Problem, l.RetryAfter = "alice", Unavailable, 2*time.Hour })},
		{"login-again", with(func(l *Login) { l.Username, l.SignedInAs, l.Notice = "alice", "alice", Again })},
		{"login-registered", with(func(l *Login) { l.Username, l.Notice = "alice", Registered })},
		{"login-ended", Login{Notice: Ended}},
		{"consent", consent},
		{"consent-native", native},
		{"formpost", FormPost{Action: "https://shop.example.test/cb", ClientName: "Example Shop", Fields: []Field{{"code", "twc_0"}, {"state", "a&b"}}}},
		{"formpost-unnamed", FormPost{Action: "https://shop.example.test/cb", Fields: []Field{{"error", "access_denied"}}}},
		{"register", register},
		{"register-faulty", faulty},
		{"register-throttled", late},
		{"logout", LogoutAsk{Action: "/auth/logout", Hidden: hidden, Username: "alice", Apps: []string{"Example Shop", "Example Mail"}}},
		{"logout-unknown", LogoutAsk{}},
		{"signedout", SignedOut{LoginURL: "/auth/login"}},
		{"account", Account{Menu: menu, FullName: "Alice Example", Email: "alice@example.com", Done: AlreadyDone}},
		{"sessions", sessions},
		{"sessions-alone", alone},
		{"sessions-none", Sessions{Menu: menu, Done: SessionEnded}},
		{"apps", apps},
		{"apps-none", Apps{Menu: menu, Done: AppWithdrawn}},
		{"hostile-login", Login{Username: hostile, ClientName: hostile, SignedInAs: hostile, Hidden: []Field{{hostile, hostile}}, Action: hostile, RegisterURL: hostile, Cancel: true}},
		{"hostile-consent", Consent{ClientName: hostile, Username: hostile, RedirectURI: "https://" + hostile, Action: hostile, Hidden: []Field{{hostile, hostile}}, Scopes: []Scope{{Name: hostile}, {Name: "read", Description: hostile, Known: true}}, Resources: []string{hostile}}},
		{"hostile-formpost", FormPost{ClientName: hostile, Action: hostile, Fields: []Field{{hostile, hostile}}}},
		{"hostile-register", Register{Username: hostile, Email: hostile, FullName: hostile, LoginURL: hostile, Hidden: []Field{{hostile, hostile}}, Faults: []Fault{{"email", hostile, hostile}}}},
		{"hostile-logout", LogoutAsk{Username: hostile, Action: hostile, Apps: []string{hostile}, Hidden: []Field{{hostile, hostile}}}},
		{"hostile-error", Error{Kind: KindRequest, Details: []string{hostile}, RequestID: hostile, BackURL: hostile, BackName: hostile}},
		{"hostile-account", Account{Menu: Menu{Username: hostile, AccountURL: hostile, SessionsURL: hostile, AppsURL: hostile, LogoutURL: hostile}, FullName: hostile, Email: hostile}},
		{"hostile-sessions", Sessions{Menu: menu, Action: hostile, List: []SessionRow{{ID: hostile, Client: hostile, Device: hostile, IP: hostile}, {ID: "b", Browser: true, Device: hostile}}}},
		{"hostile-apps", Apps{Menu: menu, Action: hostile, List: []AppRow{{ClientID: hostile, Name: hostile, Scopes: []Scope{{Name: hostile, Description: hostile}}, Resources: []string{hostile}}}}},
	}
	for _, kind := range Kinds {
		e := Error{Kind: kind, RequestID: "01JDQ2M8Z0", BackURL: "/auth/account"}
		switch kind {
		case KindRequest:
			e.InRequest, e.Details = true, []string{"invalid_request: code_challenge_method must be S256"}
			e.BackURL, e.BackName = "https://shop.example.test/", "Example Shop"
		case KindBusy, KindThrottled, KindUnavailable:
			e.RetryAfter = 5 * time.Second
		case KindNotFound:
			e = Error{Kind: kind}
		}
		all = append(all, state{fmt.Sprintf("error-%s", kind), e})
	}
	return all
}

// hostile is what a name can be at worst: 200 characters that close what they
// stand in, and turn the direction of writing around.
var hostile = strings.Repeat("w", 60) + `"'><script>alert(1)</script>` + "\u202e\u2067" + `javascript:alert(1)//{{.}}{app}&lt;` + strings.Repeat("ш", 70)
