package resourcetest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/resource"
)

// Paths of a Server, below its URL.
const (
	PathMetadata = "/.well-known/oauth-authorization-server"
	PathJWKS     = "/.well-known/jwks.json"
	PathFeed     = "/oauth/revocations"
)

// Server is an issuer that is asked over HTTP, as resource.New does. What it
// serves is what a Tokenwright server serves to resource servers: metadata, JWKS
// and the revocation feed.
type Server struct {
	*Issuer
	// ClientID and ClientSecret are of the one client that may follow the feed.
	ClientID, ClientSecret string

	jwksRequests, feedRequests atomic.Int64

	mu      sync.Mutex
	signing *Key
	http    *http.Server
	feed    feed
}

// NewServer starts an issuer on a free port of this machine, with one ES256 key.
// It stops with the test.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s := NewHandler(t, "http://127.0.0.1:0")
	s.listen("127.0.0.1:0")
	t.Cleanup(s.Stop)
	return s
}

// NewHandler returns an issuer of that URL that listens nowhere: tests serve it
// themselves, in a synctest bubble for example.
func NewHandler(t testing.TB, address string) *Server {
	t.Helper()
	s := &Server{Issuer: New(t), ClientID: "api", ClientSecret: "secret of the API :&+%"}
	s.URL = address
	s.feed.next = make(chan struct{})
	s.signing = s.AddKey("key-1", "ES256")
	return s
}

// Config is that of a resource server which trusts s and nobody else.
func (s *Server) Config() resource.Config {
	return resource.Config{Issuer: s.URL, Audience: s.Audience, ClientID: s.ClientID, ClientSecret: s.ClientSecret}
}

// Mint signs claims with the key that is in use.
func (s *Server) Mint(c resource.Claims) string {
	s.t.Helper()
	s.mu.Lock()
	k := s.signing
	s.mu.Unlock()
	return s.Token(k, c)
}

// Rotate publishes a new ES256 key and signs with it from now on. The others
// stay published; see RemoveKey.
func (s *Server) Rotate(kid string) *Key {
	s.t.Helper()
	k := s.AddKey(kid, "ES256")
	s.SignWith(k)
	return k
}

// SignWith makes k the key that is in use, published or not.
func (s *Server) SignWith(k *Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signing = k
}

// JWKSRequests counts the requests for the keys.
func (s *Server) JWKSRequests() int { return int(s.jwksRequests.Load()) }

// FeedRequests counts the requests for the feed, refused ones too.
func (s *Server) FeedRequests() int { return int(s.feedRequests.Load()) }

// Stop goes away: connections break, and new ones are refused. Keys and entries
// stay.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		s.http.Close()
		s.http = nil
	}
}

// Start comes back at the same address.
func (s *Server) Start() {
	s.t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatalf("parse URL: %v", err)
	}
	s.listen(u.Host)
}

func (s *Server) listen(address string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatalf("listen: %v", err)
	}
	s.URL = "http://" + listener.Addr().String()
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	s.http = server
	s.mu.Unlock()
	go server.Serve(listener)
}

// ServeHTTP serves the three documents.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case PathMetadata:
		writeJSON(w, map[string]any{
			"issuer": s.URL, "jwks_uri": s.URL + PathJWKS, "revocation_feed_endpoint": s.URL + PathFeed,
			"response_types_supported": []string{"none"},
		})
	case PathJWKS:
		s.jwksRequests.Add(1)
		w.Header().Set("Cache-Control", "public, max-age=300")
		writeJSON(w, map[string]any{"keys": s.jwks()})
	case PathFeed:
		s.feedRequests.Add(1)
		s.follow(w, r)
	default:
		http.NotFound(w, r)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func (s *Server) jwks() []map[string]string {
	s.Issuer.mu.RLock()
	defer s.Issuer.mu.RUnlock()
	set := []map[string]string{}
	for _, k := range s.keys {
		if j := k.JWK(); j != nil {
			set = append(set, j)
		}
	}
	return set
}

// JWK is the public half as RFC 7517 writes it; nil for HS256, which has none.
func (k *Key) JWK() map[string]string {
	encode := base64.RawURLEncoding.EncodeToString
	j := map[string]string{"kid": k.ID, "alg": k.Algorithm, "use": "sig"}
	switch p := k.Public.(type) {
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			return nil
		}
		j["kty"], j["crv"], j["x"], j["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
	case ed25519.PublicKey:
		j["kty"], j["crv"], j["x"] = "OKP", "Ed25519", encode(p)
	case *rsa.PublicKey:
		j["kty"], j["n"], j["e"] = "RSA", encode(p.N.Bytes()), encode(big.NewInt(int64(p.E)).Bytes())
	default:
		return nil
	}
	return j
}
