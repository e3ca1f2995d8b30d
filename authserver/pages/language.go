package pages

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// maxLocales bounds what is read of a list of languages, in bytes.
const maxLocales = 512

// choose returns the language for a page: by what the application asked for,
// then by what the browser says, then English.
func (r *Renderer) choose(uiLocales string, req *http.Request) *book {
	if uiLocales == "" {
		uiLocales = req.URL.Query().Get("ui_locales")
	}
	var wanted []language.Tag
	if len(uiLocales) <= maxLocales {
		for locale := range strings.FieldsSeq(uiLocales) {
			if tag, err := language.Parse(locale); err == nil { // others are to be ignored
				wanted = append(wanted, tag)
			}
		}
	}
	if accept := req.Header.Get("Accept-Language"); len(accept) <= maxLocales {
		tags, _, err := language.ParseAcceptLanguage(accept)
		if err == nil {
			wanted = append(wanted, tags...)
		}
	}
	_, i, _ := r.matcher.Match(wanted...)
	return r.books[i]
}
