package redisstore

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/authserver"
)

// record is a session as field, value, field, value … of its hash. Redis keeps
// a hash in its compact encoding as long as no value is over maxValue bytes, so
// that long lists are cut into numbered fields.
type record []any

// Fields that advance.lua reads by these names too.
const (
	fieldSubject     = "sub"
	fieldClient      = "client"
	fieldIncarnation = "inc"
	fieldEpoch       = "epoch"
	fieldSecretHash  = "hash"
	fieldCounter     = "n"
	fieldRotated     = "rotated"
	fieldCreated     = "created"
	fieldUsed        = "used"
	fieldIdle        = "idle"
	fieldDeadline    = "deadline"
	fieldIP          = "ip"
	fieldUserAgent   = "agent"
	fieldParent      = "parent"
	fieldAuthTime    = "auth"
	fieldAMR         = "amr"
	fieldConsent     = "consent"
	fieldClaims      = "claims"   // claims0, claims1 …
	fieldScope       = "scope"    // scope0, scope1 …
	fieldResources   = "resource" // resource0, resource1 …
)

const maxValue = 64

func encode(s authserver.Session) record {
	r := record{
		fieldSubject, s.Subject,
		fieldClient, s.ClientID,
		fieldIncarnation, s.ClientIncarnation,
		fieldEpoch, s.SessionEpoch,
		fieldSecretHash, s.SecretHash[:],
		fieldCounter, s.Counter,
		fieldRotated, s.RotatedAt.UnixMilli(),
		fieldCreated, s.CreatedAt.UnixMilli(),
		fieldUsed, s.LastUsedAt.UnixMilli(),
		fieldIdle, s.IdleDeadline.UnixMilli(),
		fieldDeadline, s.Deadline.UnixMilli(),
		fieldIP, s.IP,
		fieldUserAgent, s.UserAgent,
	}
	if s.Parent != "" {
		r = append(r, fieldParent, s.Parent)
	}
	if !s.AuthTime.IsZero() {
		r = append(r, fieldAuthTime, s.AuthTime.UnixMilli(), fieldAMR, strings.Join(s.AMR, " "))
	}
	if s.ConsentEpoch != 0 {
		r = append(r, fieldConsent, s.ConsentEpoch)
	}
	return r.list(fieldScope, s.Scope).list(fieldResources, s.Resources).list(fieldClaims, s.Claims)
}

// list appends values with spaces between: neither a scope-token (RFC 6749
// §3.3) nor a resource's URI (RFC 8707 §2) has one.
func (r record) list(name string, values []string) record {
	text := strings.Join(values, " ")
	for i := 0; text != ""; i++ {
		n := min(len(text), maxValue)
		r = append(r, name+strconv.Itoa(i), text[:n])
		text = text[n:]
	}
	return r
}

func decode(id string, fields map[string]string) (authserver.Session, error) {
	d := decoder{fields: fields}
	s := authserver.Session{
		ID:                id,
		Subject:           fields[fieldSubject],
		ClientID:          fields[fieldClient],
		ClientIncarnation: d.integer(fieldIncarnation),
		Scope:             d.list(fieldScope),
		Resources:         d.list(fieldResources),
		Claims:            d.list(fieldClaims),
		SessionEpoch:      d.integer(fieldEpoch),
		Counter:           uint32(d.integer(fieldCounter)),
		RotatedAt:         d.time(fieldRotated),
		CreatedAt:         d.time(fieldCreated),
		LastUsedAt:        d.time(fieldUsed),
		IdleDeadline:      d.time(fieldIdle),
		Deadline:          d.time(fieldDeadline),
		IP:                fields[fieldIP],
		UserAgent:         fields[fieldUserAgent],
		Parent:            fields[fieldParent],
		AMR:               strings.Fields(fields[fieldAMR]),
	}
	if fields[fieldAuthTime] != "" {
		s.AuthTime = d.time(fieldAuthTime)
	}
	if fields[fieldConsent] != "" {
		s.ConsentEpoch = d.integer(fieldConsent)
	}
	if copy(s.SecretHash[:], fields[fieldSecretHash]) != sha256.Size {
		d.faulty(fieldSecretHash)
	}
	return s, d.err
}

// decoder keeps the first fault.
type decoder struct {
	fields map[string]string
	err    error
}

func (d *decoder) faulty(name string) {
	if d.err == nil {
		d.err = fmt.Errorf("session record has a faulty field %q", name)
	}
}

func (d *decoder) integer(name string) int64 {
	n, err := strconv.ParseInt(d.fields[name], 10, 64)
	if err != nil {
		d.faulty(name)
	}
	return n
}

func (d *decoder) time(name string) time.Time { return time.UnixMilli(d.integer(name)).UTC() }

func (d *decoder) list(name string) []string {
	text := d.fields[name+"0"]
	for i := 1; len(text) == i*maxValue; i++ {
		text += d.fields[name+strconv.Itoa(i)]
	}
	return strings.Fields(text)
}
