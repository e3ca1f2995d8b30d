package resource_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/tokenwright/tokenwright/resource"
	"github.com/tokenwright/tokenwright/resource/resourcetest"
)

// generator makes the vectors: each is a good token with one deviation.
type generator struct {
	*resourcetest.Issuer
	t    testing.TB
	keys map[string]*resourcetest.Key // published, by kid
	list []vector
}

func newGenerator(t testing.TB) *generator {
	return &generator{Issuer: resourcetest.New(t), t: t, keys: vectorKeys(t)}
}

func (g *generator) files() map[string]vectorFile {
	files := map[string]vectorFile{}
	for _, part := range []struct {
		name, about string
		make        func()
	}{
		{"claims", "Correctly signed; one claim is wrong, or none.", g.claims},
		{"names", "Correctly signed; a claim in another case, or twice.", g.names},
		{"header", "Signed by a published key or an attacker's; one header member is wrong, or none.", g.headers},
		{"form", "A good token in another form.", g.forms},
		{"signature", "A signature that is not one, or is another's.", g.signatures},
		{"algorithm", "Another algorithm than that of the key.", g.algorithms},
		{"ended", "Good but for what has ended; see ended in issuer.json.", g.ended},
	} {
		g.list = nil
		part.make()
		files["tokens-"+part.name+".json"] = vectorFile{About: part.about, Vectors: g.list}
	}
	return files
}

func (g *generator) good(clause, token, format string, args ...any) {
	g.list = append(g.list, vector{fmt.Sprintf(format, args...), clause, "good", token})
}

func (g *generator) bad(clause, token, format string, args ...any) {
	g.list = append(g.list, vector{fmt.Sprintf(format, args...), clause, "invalid_token", token})
}

func (g *generator) es() *resourcetest.Key { return g.keys["es"] }

// user is a good user's token, client a good client's own.
func (g *generator) user() map[string]any {
	c := g.User("alice", "user")
	c.ID, c.Scope, c.Name, c.NotBefore = "jti-1", "read profile", "Alice Example", vectorsNow
	return object(g.t, c)
}

func (g *generator) client() map[string]any {
	c := g.Client("service")
	c.ID, c.Scope = "jti-2", "read"
	return object(g.t, c)
}

// signed is ES256 over claims as encoding/json writes them.
func (g *generator) signed(claims map[string]any) string {
	return g.Sign(g.es(), g.es().Header(), marshal(g.t, claims))
}

func (g *generator) with(claims map[string]any, name string, value any) string {
	claims[name] = value
	return g.signed(claims)
}

func (g *generator) without(claims map[string]any, name string) string {
	delete(claims, name)
	return g.signed(claims)
}

// raw is a JSON text that encoding/json would not write.
type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

var userClaims = []string{"sid", "epoch", "user_id", "username", "roles"}

func (g *generator) claims() {
	g.good("RFC 9068 §4", g.signed(g.user()), "a user's token")
	g.good("RFC 9068 §4", g.signed(g.client()), "a client's own token")
	g.good("RFC 7519 §4", g.with(g.user(), "acr_values", []any{map[string]any{"a": 1}}), "a claim that is not known")

	notText := []any{nil, 7, 1.5, true, []any{}, []string{"x"}, map[string]any{}}
	for _, name := range []string{"iss", "sub", "client_id", "jti", "sid", "username"} {
		g.bad("RFC 9068 §2.2", g.without(g.user(), name), "%s missing", name)
		g.bad("RFC 9068 §2.2", g.with(g.user(), name, ""), "%s empty", name)
		for _, value := range notText {
			g.bad("RFC 7519 §4.1", g.with(g.user(), name, value), "%s is %s", name, marshal(g.t, value))
		}
	}
	for _, name := range []string{"scope", "name"} {
		g.good("RFC 9068 §2.2", g.without(g.user(), name), "%s missing", name)
		for _, value := range notText {
			g.bad("RFC 9068 §2.2", g.with(g.user(), name, value), "%s is %s", name, marshal(g.t, value))
		}
	}
	notDate := []any{nil, "1767229200", true, []any{}, map[string]any{}, -1, 1e300, raw("18014398509481984")}
	for _, name := range []string{"iat", "exp", "nbf"} {
		for _, value := range notDate {
			g.bad("RFC 7519 §2", g.with(g.user(), name, value), "%s is %s", name, marshal(g.t, value))
		}
	}
	for _, name := range []string{"iat", "exp"} {
		g.bad("RFC 9068 §2.2", g.without(g.user(), name), "%s missing", name)
	}
	g.good("RFC 7519 §4.1.5", g.without(g.user(), "nbf"), "nbf missing")
	for _, text := range []string{"1e400", "NaN", "Infinity", "0x7fffffff", "01767229200", "+1767229200", "1767229200.", "1_767_229_200"} {
		payload := strings.Replace(string(marshal(g.t, g.user())), fmt.Sprint(`"exp":`, vectorsNow+1800), `"exp":`+text, 1)
		g.bad("RFC 8259 §6", g.Sign(g.es(), g.es().Header(), []byte(payload)), "exp written as %s", text)
	}
	for _, name := range []string{"epoch", "user_id"} {
		g.bad("resource.ParseClaims", g.without(g.user(), name), "%s missing", name)
		for _, value := range []any{nil, "1", true, []any{}, map[string]any{}, 1.5, -1, raw("1e0"), raw("9223372036854775808")} {
			g.bad("resource.ParseClaims", g.with(g.user(), name, value), "%s is %s", name, marshal(g.t, value))
		}
	}
	g.bad("resource.ParseClaims", g.with(g.user(), "user_id", 0), "user_id is 0")
	g.bad("resource.ParseClaims", g.without(g.user(), "roles"), "roles missing")
	for _, value := range []any{nil, "admin", 7, true, map[string]any{"admin": true}, []any{nil}, []any{7}, []any{[]any{"admin"}}} {
		g.bad("RFC 9068 §2.2.3.1", g.with(g.user(), "roles", value), "roles is %s", marshal(g.t, value))
	}
	g.good("resource.ParseClaims", g.with(g.user(), "roles", []string{}), "no roles")
	g.good("resource.Hierarchy", g.with(g.user(), "roles", []string{"unknown"}), "a role that nobody knows")

	g.audiences()
	g.times()
	for _, name := range []string{"iss", "sub", "aud", "client_id", "iat", "exp", "jti"} {
		g.bad("RFC 9068 §2.2", g.without(g.client(), name), "a client's own token, %s missing", name)
	}
	user := g.user()
	for _, name := range userClaims {
		g.bad("resource.ParseClaims", g.with(g.client(), name, user[name]), "a client's own token with %s of a user", name)
	}
}

func (g *generator) audiences() {
	a := g.Audience
	g.bad("RFC 9068 §2.2", g.without(g.user(), "aud"), "aud missing")
	for _, value := range []any{
		nil, 7, true, map[string]any{}, "", "https://other.example.test", a + "/", a + " ", strings.ToUpper(a), a[:len(a)-1],
		"http" + strings.TrimPrefix(a, "https"), g.URL, "service", "*",
		[]any{}, []any{7}, []any{nil}, []any{""}, []any{[]any{a}}, []any{a, 7}, []any{nil, a}, []string{"https://other.example.test"}, []string{"https://other.example.test " + a},
	} {
		g.bad("RFC 9068 §4; RFC 8725 §3.9", g.with(g.user(), "aud", value), "aud is %s", marshal(g.t, value))
	}
	g.good("RFC 7519 §4.1.3", g.with(g.user(), "aud", []string{a}), "aud is an array of one")
	g.good("RFC 9068 §4", g.with(g.user(), "aud", []string{"https://other.example.test", a}), "aud is an array with another")
	for _, value := range []string{
		g.URL + "/", strings.ToUpper(g.URL), "https://AUTH.example.test", "http" + strings.TrimPrefix(g.URL, "https"), g.URL + ":443",
		g.URL + ".evil.test", g.URL + " ", " " + g.URL, g.URL[:len(g.URL)-1], "auth.example.test", g.URL + "#", g.URL + "?",
	} {
		g.bad("RFC 9068 §4; RFC 8725 §3.8", g.with(g.user(), "iss", value), "iss is %q", value)
	}
}

func (g *generator) times() {
	g.good("RFC 9068 §4", g.with(g.user(), "exp", vectorsNow-leeway+1), "exp is a second inside the leeway")
	g.bad("RFC 9068 §4", g.with(g.user(), "exp", vectorsNow-leeway), "exp is at the end of the leeway")
	g.bad("RFC 9068 §4", g.with(g.user(), "exp", vectorsNow-leeway-1), "exp is a second outside the leeway")
	g.bad("RFC 9068 §4", g.with(g.user(), "exp", vectorsNow-86400), "expired yesterday")
	g.bad("RFC 9068 §4", g.with(g.user(), "exp", 0), "exp is 0")
	g.good("RFC 7519 §2", g.with(g.user(), "exp", vectorsNow+1800.5), "exp with a fraction")
	g.good("RFC 7519 §2", g.with(g.user(), "exp", raw("1.7672274e9")), "exp with an exponent")
	g.good("RFC 7519 §4.1.5", g.with(g.user(), "nbf", vectorsNow+leeway-1), "nbf is inside the leeway")
	g.bad("RFC 7519 §4.1.5", g.with(g.user(), "nbf", vectorsNow+leeway+1), "nbf is a second outside the leeway")
	g.bad("RFC 7519 §4.1.5", g.with(g.user(), "nbf", vectorsNow+300), "nbf is in five minutes")
	g.good("RFC 7519 §4.1.6", g.with(g.user(), "iat", vectorsNow+30), "iat is 30 s ahead")
}

func (g *generator) names() {
	const clause = "RFC 7519 §4; RFC 8725 §2.4"
	user := g.user()
	for _, name := range slices.Sorted(maps.Keys(user)) {
		value := user[name]
		upper, title := strings.ToUpper(name), strings.ToUpper(name[:1])+name[1:]
		m := g.user()
		delete(m, name)
		g.bad(clause, g.with(m, upper, value), "%s for %s", upper, name)
		g.bad(clause, g.with(g.user(), title, value), "%s beside %s", title, name)
		for _, first := range []string{name, `\u00` + fmt.Sprintf("%02x", name[0]) + name[1:]} {
			payload := `{"` + first + `":` + string(marshal(g.t, value)) + "," + string(marshal(g.t, user)[1:])
			g.bad(clause, g.Sign(g.es(), g.es().Header(), []byte(payload)), "%s written first as %s, then again", name, first)
		}
	}
	g.bad(clause, g.with(g.user(), "role\u017f", []string{"admin"}), "roles with a long s beside roles")
	good := string(marshal(g.t, user))
	for name, payload := range map[string]string{
		"a claim twice that is not known": `{"x":1,"x":1,` + good[1:],
		"a member twice, further in":      `{"x":[{"a":1,"a":2}],` + good[1:],
		"not UTF-8":                       strings.Replace(good, `"alice"`, "\"al\xffice\"", 1),
		"a surrogate half in UTF-8":       strings.Replace(good, `"alice"`, "\"al\xed\xa0\x80ice\"", 1),
		"a byte order mark":               "\ufeff" + good,
		"null":                            `null`,
		"an array":                        `[` + good + `]`,
		"a string":                        `"x"`,
		"nothing":                         ``,
		"one after the other":             good + good,
		"cut short":                       good[:len(good)-1],
		"a comma too many":                good[:len(good)-1] + `,}`,
		"a comment":                       `{/**/` + good[1:],
		"names in single quotes":          strings.ReplaceAll(good, `"`, `'`),
		"9000 brackets":                   strings.Repeat(`[`, 9000),
	} {
		g.bad("RFC 8259; RFC 7519 §7.2", g.Sign(g.es(), g.es().Header(), []byte(payload)), "payload: %s", name)
	}
	slices.SortStableFunc(g.list, func(a, b vector) int { return strings.Compare(a.Name, b.Name) })
}

func (g *generator) headers() {
	payload := marshal(g.t, g.user())
	attacker := g.AddKey("es", "ES256")
	sign := func(k *resourcetest.Key, name string, value any) string {
		h := g.es().Header()
		if h[name] = value; value == nil {
			delete(h, name)
		}
		return g.Sign(k, h, payload)
	}
	es := g.es()
	for _, typ := range []string{"at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"} {
		g.good("RFC 9068 §4", sign(es, "typ", typ), "typ is %s", typ)
	}
	for _, typ := range []any{nil, "", "JWT", "jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "at+jwt ", "text/at+jwt", "application/application/at+jwt", []string{"at+jwt"}, 1, raw("null")} {
		g.bad("RFC 9068 §4; RFC 8725 §3.11", sign(es, "typ", typ), "typ is %s", marshal(g.t, typ))
	}
	for _, alg := range []any{nil, "", "none", "None", "es256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "HS256", "ES256K", 256, []string{"ES256"}} {
		g.bad("RFC 8725 §3.1", sign(es, "alg", alg), "alg is %s over an ES256 signature", marshal(g.t, alg))
	}
	for _, kid := range []any{nil, "", "ed", "unknown", "ES", "es ", "../../etc/passwd", "' OR 1=1--", "es\x00", strings.Repeat("k", 10<<10), 1, []string{"es"}, raw("null")} {
		g.bad("RFC 8725 §3.10", sign(es, "kid", kid), "kid is %.30s", marshal(g.t, kid))
	}
	for name, value := range map[string]any{
		"jwk": attacker.JWK(), "jku": "https://evil.example.test/jwks.json", "x5u": "https://evil.example.test/chain.pem",
		"x5c": []string{"MIIB"}, "crit": []string{"b64"},
	} {
		g.bad("RFC 8725 §3.10", sign(attacker, name, value), "%s, signed by the attacker", name)
		g.bad("RFC 8725 §3.10; RFC 7515 §4.1.11", sign(es, name, value), "%s over a good signature", name)
		g.bad("RFC 7515 §4", sign(es, strings.ToUpper(name), value), "%s over a good signature", strings.ToUpper(name))
	}
	for _, crit := range []any{[]string{}, []string{"exp"}, []string{"unknown"}, "b64"} {
		g.bad("RFC 7515 §4.1.11", sign(es, "crit", crit), "crit is %s", marshal(g.t, crit))
	}
	g.good("RFC 7515 §4", sign(es, "x", 1), "a member that is not known")
	for _, text := range []string{
		`{"alg":"ES256","alg":"ES256","typ":"at+jwt","kid":"es"}`, `{"alg":"none","typ":"at+jwt","kid":"es","alg":"ES256"}`,
		`{"alg":"ES256","typ":"JWT","typ":"at+jwt","kid":"es"}`, `{"alg":"ES256","typ":"at+jwt","kid":"burnt","kid":"es"}`,
		`{"Alg":"ES256","typ":"at+jwt","kid":"es"}`, `{"alg":"ES256","Typ":"at+jwt","kid":"es"}`, `{"alg":"ES256","typ":"at+jwt","Kid":"es"}`,
		`null`, `[]`, `"x"`, ``, `{`, `{"alg":"ES256","typ":"at+jwt","kid":"es"}{}`, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"es\",\"x\":\"\xff\"}",
	} {
		g.bad("RFC 7515 §4", g.SignRaw("ES256", es.Private, []byte(text), payload), "header: %q", text)
	}
	slices.SortStableFunc(g.list, func(a, b vector) int { return strings.Compare(a.Name, b.Name) })
}

func (g *generator) forms() {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, kid := range []string{"es", "ed", "rs"} {
		good := g.Sign(g.keys[kid], g.keys[kid].Header(), marshal(g.t, g.user()))
		p := strings.Split(good, ".")
		last := good[:len(good)-1] + string(alphabet[strings.IndexByte(alphabet, good[len(good)-1])+1])
		g.good("RFC 7515 §7.1", good, "%s as it is", kid)
		for _, f := range []struct{ name, token string }{
			{"nothing after the header", p[0]}, {"two segments", p[0] + "." + p[1]}, {"four segments", good + ".x"},
			{"five segments", good + ".x.y"}, {"a point after", good + "."}, {"a point in front", "." + good},
			{"a detached payload", p[0] + ".." + p[2]}, {"no signature", p[0] + "." + p[1] + "."},
			{"no header", "." + p[1] + "." + p[2]},
			{"JSON serialisation", `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`},
			{"padding after", good + "="}, {"padding inside", p[0] + "=." + p[1] + "." + p[2]},
			{"a space in front", " " + good}, {"a space after", good + " "}, {"a line break after", good + "\n"},
			{"a line break in a segment", good[:10] + "\n" + good[10:]}, {"a tab in the signature", good[:len(good)-5] + "\t" + good[len(good)-5:]},
			{"NUL after", good + "\x00"}, {"a non-canonical last character", last},
			{"a character of base64", p[0] + "." + p[1] + "." + p[2][:len(p[2])-1] + "+"}, {"%2E for a point", strings.ReplaceAll(good, ".", "%2E")},
			{"in quotes", `"` + good + `"`}, {"twice", good + good}, {"two with a comma", good + "," + good},
			{"Bearer in front", "Bearer " + good}, {"segments in another order", p[2] + "." + p[0] + "." + p[1]},
			{"17 KiB after", good + strings.Repeat("A", 17<<10)},
		} {
			g.bad("RFC 7515 §7.1; RFC 8725 §3.10", f.token, "%s: %s", kid, f.name)
		}
	}
	for name, token := range map[string]string{"nothing": "", "two points": "..", "a point": ".", "text": "garbage", "an opaque token": "twr_AAAAAAAAAAAAAAAAAAAAAAAA"} {
		g.bad("RFC 7515 §7.1", token, "%s", name)
	}
	slices.SortStableFunc(g.list, func(a, b vector) int { return strings.Compare(a.Name, b.Name) })
}

func (g *generator) signatures() {
	for _, kid := range []string{"es", "ed", "rs"} {
		k := g.keys[kid]
		good := g.Sign(k, k.Header(), marshal(g.t, g.user()))
		cut := strings.LastIndex(good, ".") + 1
		text := good[:cut]
		signature, err := base64.RawURLEncoding.DecodeString(good[cut:])
		if err != nil {
			g.t.Fatal(err)
		}
		put := func(b []byte) string { return text + base64.RawURLEncoding.EncodeToString(b) }
		flip := func(at int) string {
			b := bytes.Clone(signature)
			b[at] ^= 1
			return put(b)
		}
		for _, at := range []int{0, 1, len(signature) / 2, len(signature)/2 - 1, len(signature) - 1} {
			g.bad("RFC 8725 §3.3", flip(at), "%s: byte %d flipped", kid, at)
		}
		g.bad("RFC 8725 §3.3", put(signature[:len(signature)-1]), "%s: a byte short", kid)
		g.bad("RFC 8725 §3.3", put(append(bytes.Clone(signature), 0)), "%s: a byte long", kid)
		g.bad("RFC 8725 §3.3", put(make([]byte, len(signature))), "%s: zeros", kid)
		g.bad("RFC 8725 §3.3", put(bytes.Repeat([]byte{0xff}, len(signature))), "%s: ones", kid)
		g.bad("RFC 8725 §3.3", put(append(bytes.Clone(signature[len(signature)/2:]), signature[:len(signature)/2]...)), "%s: its halves exchanged", kid)
		admin := base64.RawURLEncoding.EncodeToString(marshal(g.t, g.User("alice", "admin")))
		p := strings.Split(good, ".")
		g.bad("RFC 8725 §3.3", p[0]+"."+admin+"."+p[2], "%s: another payload", kid)
		attacker := g.AddKey(kid, k.Algorithm)
		g.bad("RFC 8725 §3.3", g.Sign(attacker, k.Header(), marshal(g.t, g.user())), "%s: an attacker's key of the same kid", kid)
	}
	es := g.es()
	private := es.Private.(*ecdsa.PrivateKey)
	good := g.signed(g.user())
	text := good[:strings.LastIndex(good, ".")]
	sum := sha256.Sum256([]byte(text))
	der, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
	if err != nil {
		g.t.Fatal(err)
	}
	g.bad("RFC 7518 §3.4", text+"."+base64.RawURLEncoding.EncodeToString(der), "es: ASN.1 DER in place of r and s")
	order := private.Curve.Params().N
	for name, pair := range map[string][2]*big.Int{
		"r = 0": {new(big.Int), big.NewInt(1)}, "s = 0": {big.NewInt(1), new(big.Int)},
		"r = s = n": {order, order}, "r = n, s = 1": {order, big.NewInt(1)},
	} {
		b := append(pair[0].FillBytes(make([]byte, 32)), pair[1].FillBytes(make([]byte, 32))...)
		g.bad("CVE-2022-21449", text+"."+base64.RawURLEncoding.EncodeToString(b), "es: %s", name)
	}
	slices.SortStableFunc(g.list, func(a, b vector) int { return strings.Compare(a.Name, b.Name) })
}

func (g *generator) algorithms() {
	payload := marshal(g.t, g.user())
	for _, algorithm := range []string{"none", "None", "nOnE", "NONE", "", "ES256"} {
		for _, kid := range []any{"es", "rs"} {
			header := marshal(g.t, map[string]any{"typ": "at+jwt", "alg": algorithm, "kid": kid})
			g.bad("RFC 8725 §2.1", g.SignRaw("none", jwt.UnsafeAllowNoneSignatureType, header, payload), "alg %q, kid %s, no signature", algorithm, kid)
		}
	}
	for _, kid := range []string{"es", "ed", "rs"} {
		k := g.keys[kid]
		der, err := x509.MarshalPKIXPublicKey(k.Public)
		if err != nil {
			g.t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		secrets := map[string][]byte{
			"PEM": text, "PEM without its last line break": bytes.TrimSpace(text), "DER": der, "JWK": marshal(g.t, k.JWK()), "nothing": {}, "its kid": []byte(kid),
		}
		if public, ok := k.Public.(*rsa.PublicKey); ok {
			secrets["PKCS #1"] = x509.MarshalPKCS1PublicKey(public)
			secrets["its modulus"] = public.N.Bytes()
		}
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			for _, mac := range []string{"HS256", "HS512"} {
				header := marshal(g.t, map[string]any{"typ": "at+jwt", "alg": mac, "kid": kid})
				g.bad("RFC 8725 §2.1", g.SignRaw(mac, secrets[name], header, payload), "%s with the public key %s as %s", mac, kid, name)
			}
		}
		for _, other := range []string{"es", "ed", "rs"} {
			header := marshal(g.t, map[string]any{"typ": "at+jwt", "alg": k.Algorithm, "kid": other})
			token := g.SignRaw(k.Algorithm, k.Private, header, payload)
			if other == kid {
				g.good("RFC 8725 §3.1", token, "%s signed by %s", k.Algorithm, other)
				continue
			}
			g.bad("RFC 8725 §3.1", token, "%s signed by %s under the kid %s", k.Algorithm, kid, other)
			header = marshal(g.t, map[string]any{"typ": "at+jwt", "alg": g.keys[other].Algorithm, "kid": kid})
			g.bad("RFC 8725 §3.1", g.SignRaw(k.Algorithm, k.Private, header, payload), "%s signed by %s that says %s", k.Algorithm, kid, g.keys[other].Algorithm)
		}
	}
	for _, other := range []string{"RS384", "RS512", "PS256", "PS384", "PS512"} {
		header := marshal(g.t, map[string]any{"typ": "at+jwt", "alg": other, "kid": "rs"})
		g.bad("RFC 8725 §3.1", g.SignRaw(other, g.keys["rs"].Private, header, payload), "%s by a key that is for RS256", other)
	}
}

func (g *generator) ended() {
	user := func(edit func(*resource.Claims)) string {
		c := g.User("alice", "user")
		c.ID = "jti-1"
		edit(&c)
		return g.Token(g.es(), c)
	}
	client := func(id, jti string) string {
		c := g.Client(id)
		c.ID = jti
		return g.Token(g.es(), c)
	}
	const clause = "docs/revocation-feed.md"
	g.bad(clause, user(func(c *resource.Claims) { c.ID = "jti-ended" }), "a token that has ended")
	g.bad(clause, client("service", "jti-ended"), "a client's own token that has ended")
	g.bad(clause, user(func(c *resource.Claims) { c.SessionID = "sid-ended" }), "of a session that has ended")
	g.bad(clause, user(func(c *resource.Claims) { c.Subject, c.Epoch = "sub-ended", 4 }), "of a user, below the epoch")
	g.good(clause, user(func(c *resource.Claims) { c.Subject, c.Epoch = "sub-ended", 5 }), "of a user, of the epoch")
	g.good(clause, user(func(c *resource.Claims) { c.Subject, c.Epoch = "sub-ended", 6 }), "of a user, above the epoch")
	g.bad(clause, user(func(c *resource.Claims) { c.ClientID = "client-ended" }), "of a user, by a client that has ended")
	g.bad(clause, client("client-ended", "jti-2"), "of a client that has ended")
	g.good(clause, client("sub-ended", "jti-2"), "of a client that is called as a user")
	g.good(clause, user(func(c *resource.Claims) { c.ID = "sid-ended" }), "a jti that is an ended sid")
	g.good(clause, user(func(c *resource.Claims) { c.SessionID = "JTI-ended" }), "a sid that is nearly an ended jti")
	g.good(clause, user(func(c *resource.Claims) { c.ID = "jti-over" }), "of an entry that has left")
	burnt := g.keys["burnt"]
	g.bad(clause, g.Sign(burnt, burnt.Header(), marshal(g.t, g.user())), "by a key that has ended")
}
