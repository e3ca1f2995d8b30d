package pages

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestWhereAConsentLeads(t *testing.T) {
	r := newRenderer(t)
	for uri, want := range map[string]string{
		"https://shop.example.test/cb":       "shop.example.test",
		"https://shop.example.test:8443/cb?": "shop.example.test:8443",
		"http://127.0.0.1:51234/cb":          "on this device",
		"http://[::1]/cb":                    "on this device",
		"http://localhost:3000/cb":           "on this device",
		"com.example.shop:/cb":               "on this device",
	} {
		body := show(r, Consent{ClientID: "shop", RedirectURI: uri}).Body.String()
		_, foot, _ := strings.Cut(body, `class="foot"`)
		if !strings.Contains(foot, want) {
			t.Errorf("%s: %q does not say %q", uri, foot, want)
		}
	}
}

// TestSessionsStandBelowTheirBrowser holds that each session is shown once, with
// one form that ends it.
func TestSessionsStandBelowTheirBrowser(t *testing.T) {
	page := Sessions{List: []SessionRow{
		{ID: "child", ParentID: "browser", Client: "Child"},
		{ID: "browser", Browser: true, Device: "Firefox (Linux)", ParentID: "browser"},
		{ID: "orphan", ParentID: "gone", Client: "Orphan"},
		{ID: "apart", Client: "Apart"},
	}}
	doc, err := html.Parse(strings.NewReader(show(newRenderer(t), page).Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	below := map[string]bool{}
	for n := range doc.Descendants() {
		var sid string
		for _, a := range n.Attr {
			if a.Key == "value" && n.Data == "input" {
				sid = a.Val
			}
		}
		if sid == "" {
			continue
		}
		if _, twice := below[sid]; twice {
			t.Errorf("%s is shown twice", sid)
		}
		below[sid] = false
		for p := range n.Ancestors() {
			for _, a := range p.Attr {
				if a.Key == "class" && a.Val == "children" {
					below[sid] = true
				}
			}
		}
	}
	if len(below) != 4 || !below["child"] || below["browser"] || below["orphan"] || below["apart"] {
		t.Errorf("below their browser stand %v, want the child only", below)
	}
}

// TestFaultsStandBesideTheirFields holds PAG-008.
func TestFaultsStandBesideTheirFields(t *testing.T) {
	page := Register{Username: "alice", Email: "alice@", Faults: []Fault{{"password", "string_too_short", ""}, {"email", "value_error", ""}}}
	doc, err := html.Parse(strings.NewReader(show(newRenderer(t), page).Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	texts, fields := map[string]string{}, map[string]map[string]string{}
	for n := range doc.Descendants() {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if n.Data == "input" {
			fields[attr["id"]] = attr
		}
		for child := range n.Descendants() {
			if child.Type == html.TextNode && attr["id"] != "" {
				texts[attr["id"]] += child.Data
			}
		}
	}
	for name, want := range map[string]struct{ autocomplete, text string }{
		"username":  {"username", "Letters, digits"},
		"email":     {"email", "Please give an address"},
		"full_name": {"name", "As others"},
		"password":  {"new-password", "too short"},
	} {
		f := fields[name]
		if got := texts[f["aria-describedby"]]; !strings.Contains(got, want.text) {
			t.Errorf("%s is described by %q, want %q", name, got, want.text)
		}
		if f["autocomplete"] != want.autocomplete {
			t.Errorf("%s: autocomplete=%q, want %q", name, f["autocomplete"], want.autocomplete)
		}
		_, invalid := f["aria-invalid"]
		_, focus := f["autofocus"]
		if invalid != (name == "email" || name == "password") || focus != (name == "email") {
			t.Errorf("%s: invalid %v, focus %v", name, invalid, focus)
		}
	}
	if fields["username"]["value"] != "alice" || fields["password"]["value"] != "" {
		t.Error("what was typed should be there, but for the password")
	}
}
