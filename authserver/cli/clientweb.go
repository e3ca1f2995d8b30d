package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/account"
)

// webFlags are what a client needs that logs people in by redirect.
type webFlags struct {
	Name         string   `placeholder:"TEXT" help:"What people see of it."`
	RedirectURI  []string `sep:"none" placeholder:"URI" help:"Where people may be sent back to after logging in."`
	AllowScheme  []string `placeholder:"SCHEME" help:"A private-use scheme without a dot that a redirect URI may have."`
	PostLogout   []string `name:"post-logout-redirect-uri" sep:"none" placeholder:"URI" help:"Where people may be sent after logging out."`
	Backchannel  string   `name:"backchannel-logout-uri" placeholder:"URI" help:"What is told when a session ends."`
	Trusted      bool     `help:"One's own application: people are not asked for their consent."`
	PKCEOptional bool     `name:"pkce-optional" help:"Let a confidential client do without PKCE."`
	RequirePAR   bool     `name:"require-pushed-authorization-requests" help:"Refuse authorization requests that were not pushed."`
	IDTokenAlg   string   `name:"id-token-signed-response-alg" placeholder:"ALG" help:"Algorithm of its ID tokens, if not the server's."`
}

func (f webFlags) into(s *account.ClientSpec) {
	s.Name, s.RedirectURIs, s.AllowSchemes = f.Name, f.RedirectURI, f.AllowScheme
	s.PostLogoutRedirectURIs, s.BackchannelLogoutURI = f.PostLogout, f.Backchannel
	s.Trusted, s.PKCEOptional, s.RequirePushedRequests = f.Trusted, f.PKCEOptional, f.RequirePAR
	s.IDTokenAlgorithm = f.IDTokenAlg
}

// webView is what commands print of login by redirect.
type webView struct {
	Name         string   `json:"name,omitempty"`
	RedirectURIs []string `json:"redirect_uris"`
	PostLogout   []string `json:"post_logout_redirect_uris,omitempty"`
	Backchannel  string   `json:"backchannel_logout_uri,omitempty"`
	Trusted      bool     `json:"trusted"`
	RequirePKCE  bool     `json:"require_pkce"`
	RequirePAR   bool     `json:"require_pushed_authorization_requests"`
	IDTokenAlg   string   `json:"id_token_signed_response_alg,omitempty"`
}

func viewWeb(c authserver.Client) webView {
	return webView{
		Name: c.Name, RedirectURIs: append([]string{}, c.RedirectURIs...), PostLogout: c.PostLogoutRedirectURIs,
		Backchannel: c.BackchannelLogoutURI, Trusted: c.Trusted, RequirePKCE: c.Public || !c.PKCEOptional,
		RequirePAR: c.RequirePushedRequests, IDTokenAlg: c.IDTokenAlgorithm,
	}
}

// text prints what a client without redirect URIs has no use for only if there
// are some.
func (v webView) text(w io.Writer) {
	if v.Name != "" {
		fmt.Fprintf(w, "name\t%s\n", v.Name)
	}
	if len(v.RedirectURIs) == 0 {
		return
	}
	fmt.Fprintf(w, "redirect URIs\t%s\n", strings.Join(v.RedirectURIs, " "))
	if len(v.PostLogout) > 0 {
		fmt.Fprintf(w, "after logout\t%s\n", strings.Join(v.PostLogout, " "))
	}
	if v.Backchannel != "" {
		fmt.Fprintf(w, "back-channel\t%s\n", v.Backchannel)
	}
	fmt.Fprintf(w, "trusted\t%s\n", yesNo(v.Trusted))
	fmt.Fprintf(w, "PKCE\t%s\n", yesNo(v.RequirePKCE))
	fmt.Fprintf(w, "pushed only\t%s\n", yesNo(v.RequirePAR))
	if v.IDTokenAlg != "" {
		fmt.Fprintf(w, "ID tokens\t%s\n", v.IDTokenAlg)
	}
}
