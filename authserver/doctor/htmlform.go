package doctor

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// htmlForm is a form of a page, as a browser would send it.
type htmlForm struct {
	action, method string
	fields         []*html.Node // inputs with a name, buttons apart
	buttons        []*html.Node
}

// document is the page's HTML.
func (a answer) document() *html.Node {
	root, err := html.Parse(bytes.NewReader(a.body))
	if err != nil { // of reading, and bytes can be read
		return &html.Node{Type: html.DocumentNode}
	}
	return root
}

// forms are those of a page.
func (a answer) forms() []htmlForm {
	var all []htmlForm
	for n := range a.document().Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			all = append(all, readForm(n))
		}
	}
	return all
}

func readForm(form *html.Node) htmlForm {
	f := htmlForm{action: attribute(form, "action"), method: strings.ToUpper(attribute(form, "method"))}
	for n := range form.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "button" && !strings.EqualFold(attribute(n, "type"), "button"),
			n.Data == "input" && strings.EqualFold(attribute(n, "type"), "submit"):
			f.buttons = append(f.buttons, n)
		case n.Data == "input" && attribute(n, "name") != "":
			f.fields = append(f.fields, n)
		}
	}
	return f
}

// field is the one of a name; nil if there is none.
func (f htmlForm) field(name string) *html.Node {
	i := slices.IndexFunc(f.fields, func(n *html.Node) bool { return attribute(n, "name") == name })
	if i < 0 {
		return nil
	}
	return f.fields[i]
}

// button is the one that Pages calls so; nil if there is none.
func (f htmlForm) button(called string) *html.Node {
	i := slices.IndexFunc(f.buttons, func(n *html.Node) bool {
		name := attribute(n, "name")
		return called == name || called == attribute(n, "id") || called == name+"="+attribute(n, "value")
	})
	if i < 0 {
		return nil
	}
	return f.buttons[i]
}

// hidden are the pairs that the form sends of its own.
func (f htmlForm) hidden() []string {
	var pairs []string
	for _, n := range f.fields {
		if strings.EqualFold(attribute(n, "type"), "hidden") {
			pairs = append(pairs, attribute(n, "name"), attribute(n, "value"))
		}
	}
	return pairs
}

// attribute is empty if n does not have it.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// words are what a page says to people.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
