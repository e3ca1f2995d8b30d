package config

import (
	"errors"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Sources is where settings come from.
type Sources struct {
	// Flags are those that were given, by the name of their variable.
	Flags   map[string]string
	Environ []string // as os.Environ has it
	// DotEnv is a file's path; a file that is not there is no fault.
	DotEnv string
	// Terminal says whether the log goes to one.
	Terminal bool
	// Demo replaces the database, forgets Redis and allows loopback only.
	Demo bool
}

const (
	demoDatabase = "sqlite:data/demo.db"
	demoOrigin   = "http://localhost:3000"
	demoOutbound = "127.0.0.0/8,::1/128"

	fromFlag    = "flag"
	fromEnviron = "environment"
	fromDotEnv  = ".env"
	fromDefault = "default"
)

// Load reads the settings: a flag goes before the environment, that before the
// file .env, that before the default. An empty value is as none. The error has
// a line for each fault; no secret is in it. Load writes nothing.
func Load(s Sources) (Config, error) {
	dotenv, err := readDotEnv(s.DotEnv)
	if err != nil {
		return Config{}, err // the rest would complain of what it could not read
	}
	l := loader{vars: variables(), values: make(map[string]value)}
	layers := []layer{{fromFlag, s.Flags}, {fromEnviron, env.ToMap(s.Environ)}, {fromDotEnv, dotenv}}
	for _, v := range l.vars {
		l.look(v, layers, s.Demo)
	}
	if s.Demo {
		l.values["DATABASE_URL"] = value{demoDatabase, fromFlag}
		l.values["REDIS_URL"] = value{"", fromFlag}
		l.settle("CORS_ORIGINS", demoOrigin)
		l.settle("OUTBOUND_ALLOW", demoOutbound)
	}
	l.settleDefaults(s.Terminal, s.Demo)

	c := Config{Demo: s.Demo, hints: hints(l.vars, s.DotEnv, dotenv)}
	l.decode(&c)
	l.check(&c)
	c.settings = l.describe()
	return c, errors.Join(l.faults...)
}

// layer is one source of values.
type layer struct {
	origin string
	values map[string]string
}

// value is a setting's text, not yet decoded, and where it is from.
type value struct{ text, origin string }

// loader gathers values and faults. Everything is text until it is complete,
// defaults that depend on other settings too; then it is decoded once.
type loader struct {
	vars   []variable
	values map[string]value
	faults []error
	wrong  []string // the names that faults are about
}

// look takes v from the first layer that has it, or from the file that its
// NAME_FILE names if it is a secret.
func (l *loader) look(v variable, layers []layer, demo bool) {
	if demo && v.secret == secretURL {
		return
	}
	direct, found := first(layers, v.name)
	if found {
		l.values[v.name] = direct
	}
	if v.secret == "" {
		return
	}
	file, hasFile := first(layers, v.name+"_FILE")
	switch {
	case found && hasFile:
		l.fault(v.name, "%s (%s) and %s_FILE (%s) are both set: want one of them", v.name, direct.origin, v.name, file.origin)
	case hasFile:
		text, err := readSecret(file.text)
		if err != nil {
			path := redacted
			if nameable(file.text) {
				path = strconv.Quote(file.text)
			}
			l.fault(v.name, "%s_FILE=%s (%s): %w", v.name, path, file.origin, err)
		}
		l.values[v.name] = value{text, "file " + file.text}
	}
}

func first(layers []layer, name string) (value, bool) {
	for _, from := range layers {
		if text := from.values[name]; text != "" {
			return value{text, from.origin}, true
		}
	}
	return value{}, false
}

// settle gives a setting its default unless it has a value.
func (l *loader) settle(name, text string) {
	if l.values[name].text == "" && text != "" {
		l.values[name] = value{text, fromDefault}
	}
}

// settleDefaults fills in what is not set; a default comes after those that it
// depends on.
func (l *loader) settleDefaults(terminal, demo bool) {
	for _, v := range l.vars {
		l.settle(v.name, v.fallback)
	}
	listener := HTTP{Listen: l.values["LISTEN"].text, TLSCertFile: l.values["TLS_CERT_FILE"].text}
	if loopbackListener(listener.Listen) {
		l.settle("ISSUER", listener.origin(demo))
	}
	hosts := "localhost,127.0.0.1,[::1]"
	if origin, path, ok := parseIssuer(l.values["ISSUER"].text); ok {
		l.settle("AUDIENCE", origin.String()+path+audiencePath)
		if host := bracketed(origin.Hostname()); !strings.Contains(","+hosts+",", ","+host+",") {
			hosts += "," + host
		}
	}
	l.settle("ALLOWED_HOSTS", hosts)

	l.settle("HASH_CONCURRENCY", strconv.Itoa(max(1, runtime.GOMAXPROCS(0)-1)))
	slots, _ := strconv.Atoi(l.values["HASH_CONCURRENCY"].text) // check tells what is wrong with it
	l.settle("HASH_QUEUE", strconv.Itoa(64*min(max(1, slots), 1024)))
	if terminal {
		l.settle("LOG_FORMAT", "text")
	}
	l.settle("LOG_FORMAT", "json")

	if !slices.Contains(l.wrong, "SECRET_KEY") && l.values["SECRET_KEY"].text == "" && !l.shared() {
		text, err := readSecretFile()
		if err != nil {
			l.fault("SECRET_KEY", "SECRET_KEY from %s: %w", secretFile, err)
		}
		if text != "" {
			l.values["SECRET_KEY"] = value{text, "file " + secretFile}
		}
	}
}

// shared reports whether other servers may need the same SECRET_KEY, so that
// it cannot be one that this server makes for itself.
func (l *loader) shared() bool {
	return l.values["REDIS_URL"].text != "" || strings.HasPrefix(l.values["DATABASE_URL"].text, "postgres")
}

// decode sets c's fields and adds a fault for each value of another form.
func (l *loader) decode(c *Config) {
	texts := make(map[string]string)
	for name, v := range l.values {
		texts[name] = v.text
	}
	err := env.ParseWithOptions(c, env.Options{Environment: texts})
	if err == nil {
		return
	}
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		l.faults = append(l.faults, err)
		return
	}
	for _, err := range all.Errors {
		parse, ok := errors.AsType[env.ParseError](err)
		if !ok {
			l.faults = append(l.faults, err)
			continue
		}
		for _, v := range l.vars {
			if v.field == parse.Name {
				l.want(v.name, false)
			}
		}
	}
}

// bracketed writes a host as a Host header has it.
func bracketed(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return "[" + host + "]"
	}
	return host
}
