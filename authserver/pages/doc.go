// Package pages is what people see: HTML by the server, in their language, that
// works without a script. Rules are elsewhere; a page shows what it is given.
//
//	r, err := pages.NewRenderer(pages.Brand{Name: "Example"}, "/auth", logger)
//	mux.Handle("/auth/static/", r.Static())
//	r.Render(w, req, http.StatusOK, pages.Login{Username: "alice", Problem: pages.Wrong})
//
// A page is one struct, one file of templates, and its texts: texts has one
// file for each language, with the same keys in all. Nothing is loaded from
// elsewhere, and no page holds script or style of its own.
package pages
