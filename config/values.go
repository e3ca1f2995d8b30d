package config

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Rate is so many in so much time. The zero Rate is off.
type Rate struct {
	Burst int
	Per   time.Duration
}

// errForm is what a value's UnmarshalText returns: the form that would be right
// is told by the setting.
var errForm = errors.New("not of the accepted form")

// UnmarshalText reads "10/1m" or "off".
func (r *Rate) UnmarshalText(text []byte) error {
	*r = Rate{}
	if string(text) == "off" {
		return nil
	}
	burst, per, ok := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(burst)
	if !ok || err != nil || n < 1 {
		return errForm
	}
	d, err := time.ParseDuration(per)
	if err != nil || d <= 0 {
		return errForm
	}
	*r = Rate{n, d}
	return nil
}

// List is a comma-separated list; blanks around its members are dropped.
type List []string

// UnmarshalText never fails.
func (l *List) UnmarshalText(text []byte) error {
	*l = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}

// Prefixes is a comma-separated list of address ranges in CIDR notation.
type Prefixes []netip.Prefix

// UnmarshalText masks each range, so that 10.1.2.3/8 is 10.0.0.0/8.
func (p *Prefixes) UnmarshalText(text []byte) error {
	var list List
	if err := list.UnmarshalText(text); err != nil {
		return err
	}
	*p = nil
	for _, part := range list {
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return errForm
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}
