package program

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Page is what a browser shows in the end.
type Page struct {
	Answer
	URL *url.URL // what it was asked by; where another host or scheme follows, that
}

// Left reports whether the browser was sent to somebody else's address.
func (a Page) Left() bool { return a.Status/100 == 3 }

// Query are the parameters that the client gets.
func (a Page) Query() url.Values { return a.URL.Query() }

// On reports whether a page has a button.
func (a Page) On(button string) bool { return a.Status == 200 && len(a.Forms(button)) > 0 }

// Form is one of a page's; without an action, it is sent to the page's address.
type Form struct {
	Action string
	Fields url.Values
}

// Forms are those of a page that have a button of the given id, or value of act.
func (a Page) Forms(button string) []Form {
	doc, err := html.Parse(strings.NewReader(a.Body))
	if err != nil {
		return nil
	}
	var all []Form
	attr := func(n *html.Node, name string) string {
		for _, at := range n.Attr {
			if at.Key == name {
				return at.Val
			}
		}
		return ""
	}
	for n := range doc.Descendants() {
		if n.Data != "form" {
			continue
		}
		f, has := Form{attr(n, "action"), url.Values{}}, false
		for in := range n.Descendants() {
			switch {
			case in.Data == "input":
				f.Fields.Add(attr(in, "name"), attr(in, "value"))
			case in.Data == "button" && (attr(in, "id") == button || attr(in, "value") == button):
				has = true
				if attr(in, "name") != "" {
					f.Fields.Set(attr(in, "name"), attr(in, "value"))
				}
			}
		}
		if has {
			all = append(all, f)
		}
	}
	return all
}
