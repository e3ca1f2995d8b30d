package redisstore

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tokenwright/tokenwright/authserver/transport"
)

const accepted = "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], rediss:// for TLS, " +
	"redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT],HOST[:PORT]/MASTER or redis+cluster://[[USER]:PASSWORD@]HOST[:PORT],HOST[:PORT], " +
	"with ?tls=true for TLS and &ca=FILE for a CA of your own"

// parseURL never quotes the URL or net/url's complaint about it: either may
// have the password in it.
func parseURL(raw string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	port := "6379"
	switch scheme {
	case "redis", "rediss", "redis+cluster":
	case "redis+sentinel":
		port = "26379"
	default:
		return nil, errors.New("REDIS_URL has an unknown scheme; give " + accepted)
	}
	u, hosts, err := split(rest)
	if err != nil {
		return nil, errors.New("REDIS_URL is not a URL; give " + accepted +
			", with what is special in the password percent-encoded")
	}
	opts := options()
	for _, h := range hosts {
		if h.Hostname() == "" {
			return nil, errors.New("REDIS_URL names no host; give " + accepted)
		}
		opts.Addrs = append(opts.Addrs, net.JoinHostPort(h.Hostname(), cmp.Or(h.Port(), port)))
	}
	opts.Username = u.User.Username()
	opts.Password, _ = u.User.Password()
	query, err := parseQuery(u.RawQuery)
	if err != nil {
		return nil, err
	}
	path := strings.Trim(u.Path, "/")
	if u.Fragment != "" {
		return nil, errors.New("REDIS_URL has a fragment, which means nothing here; give " + accepted)
	}
	db := query.Get("db")
	switch scheme {
	case "redis+sentinel":
		if opts.MasterName = path; path == "" {
			return nil, errors.New("REDIS_URL names no master for the Sentinels to find; give " + accepted)
		}
		// Sentinels that want no password take any.
		opts.SentinelPassword = opts.Password
	case "redis+cluster":
		if opts.IsClusterMode = true; path != "" || db != "" {
			return nil, errors.New("REDIS_URL names a database, but a cluster has only one; give " + accepted)
		}
	default:
		if db = cmp.Or(path, db); len(hosts) > 1 {
			return nil, errors.New("REDIS_URL names several hosts; give redis+sentinel:// or redis+cluster://")
		}
	}
	if db != "" {
		if opts.DB, err = strconv.Atoi(db); err != nil || opts.DB < 0 {
			return nil, errors.New("REDIS_URL: the database is not a number; give " + accepted)
		}
	}
	opts.TLSConfig, err = tlsConfig(scheme == "rediss", query)
	return opts, err
}

// split takes the hosts apart, which net/url knows one of. u has the first.
func split(rest string) (u *url.URL, hosts []*url.URL, err error) {
	end := strings.IndexAny(rest+"/", "/?#")
	at := strings.LastIndexByte(rest[:end], '@') + 1
	names := strings.Split(rest[at:end], ",")
	if u, err = url.Parse("redis://" + rest[:at] + names[0] + rest[end:]); err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		h, err := url.Parse("redis://" + name)
		if err != nil {
			return nil, nil, err
		}
		hosts = append(hosts, h)
	}
	return u, hosts, nil
}

// parseQuery takes nothing that it does not understand: what was to ask for TLS
// must not be passed over.
func parseQuery(raw string) (url.Values, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, errors.New("REDIS_URL has a query that cannot be read; give " + accepted)
	}
	for name, values := range query {
		if name != "tls" && name != "ca" && name != "db" {
			return nil, errors.New("REDIS_URL has something in its query that means nothing here; give " + accepted)
		}
		if len(values) > 1 || values[0] == "" {
			return nil, fmt.Errorf("REDIS_URL: %s has no value or several; give %s", name, accepted)
		}
	}
	return query, nil
}

// tlsConfig is nil without TLS. A certificate has to be for the host that was
// connected to.
func tlsConfig(always bool, query url.Values) (*tls.Config, error) {
	on, err := strconv.ParseBool(cmp.Or(query.Get("tls"), strconv.FormatBool(always)))
	if err != nil || always && !on {
		return nil, errors.New("REDIS_URL: tls is neither true nor false, or contradicts rediss://; give " + accepted)
	}
	file := query.Get("ca")
	if !on {
		if file != "" {
			return nil, errors.New("REDIS_URL names a CA but does not ask for TLS; add tls=true")
		}
		return nil, nil
	}
	config := &tls.Config{}
	transport.Secure(config)
	if file == "" {
		return config, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: the file of the CA cannot be read; correct ca=FILE: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("REDIS_URL: the file of the CA has no certificate in PEM; correct ca=FILE")
	}
	return config, nil
}
