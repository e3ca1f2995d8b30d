package resource

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Bounds of what is read of the feed, in bytes.
const (
	maxLine     = 64 << 10
	maxSnapshot = 64 << 20 // of an issuer of the version before, which writes no parts
)

// The events of the feed.
const (
	eventPart     = "part"     // data is an array of entries of a snapshot that goes on
	eventSnapshot = "snapshot" // data is an array of all live entries that came in no part
	eventRevoke   = "revoke"   // data is one entry
	eventPing     = "ping"
)

// errMalformed is wrapped by all that is wrong with what the feed says.
var errMalformed = errors.New("feed is malformed")

// event is one server-sent event of the feed.
type event struct {
	name string
	id   int64 // -1 if it has none
	copy string
	data []byte
}

// eventReader splits a stream into server-sent events.
type eventReader struct{ r *bufio.Reader }

func newEventReader(r io.Reader) eventReader { return eventReader{bufio.NewReader(r)} }

// next returns io.EOF at the end of the stream, between two events or inside one:
// what is not complete does not count.
func (s eventReader) next() (event, error) {
	e := event{id: -1}
	some := false
	for {
		most := maxLine
		if e.name == eventSnapshot {
			most = maxSnapshot
		}
		line, err := s.line(most - len(e.data))
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if some {
				return e, nil
			}
			continue
		}
		some = true
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			e.name = string(value)
		case "data":
			if e.data != nil {
				e.data = append(e.data, '\n')
			}
			e.data = append(e.data, value...)
		case "copy":
			e.copy = string(value)
		case "id":
			if e.id, err = strconv.ParseInt(string(value), 10, 64); err != nil || e.id < 0 {
				return event{}, fmt.Errorf("%w: an id is not a number", errMalformed)
			}
		}
	}
}

// line returns the next without its end.
func (s eventReader) line(most int) ([]byte, error) {
	var line []byte
	for {
		part, err := s.r.ReadSlice('\n')
		if len(line)+len(part) > most {
			return nil, fmt.Errorf("%w: a line is too long", errMalformed)
		}
		line = append(line, part...)
		if err == nil {
			return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// entry is a Revocation on the wire.
type entry struct {
	Seq          int64    `json:"seq"`
	Kind         string   `json:"kind"`
	ID           string   `json:"id"`
	Epoch        int64    `json:"epoch"`
	SessionEpoch int64    `json:"session_epoch"`
	Kept         []string `json:"kept"`
	Reason       string   `json:"reason"`
	Until        int64    `json:"until"` // Unix seconds
}

// revocation refuses what would end nothing, or not what was meant. A kind that
// is not known is kept, and harms nobody.
func (e entry) revocation() (Revocation, error) {
	if e.Seq < 1 || e.Kind == "" || e.ID == "" || e.Epoch < 0 || e.SessionEpoch < 0 || e.Until < 1 || e.Until > 1<<53 {
		return Revocation{}, fmt.Errorf("%w: entry %d lacks seq, kind, id or until", errMalformed, e.Seq)
	}
	return Revocation{
		Seq: e.Seq, Kind: e.Kind, ID: e.ID, Epoch: e.Epoch, SessionEpoch: e.SessionEpoch, Kept: e.Kept,
		Reason: e.Reason, Until: time.Unix(e.Until, 0),
	}, nil
}

// entries are those of a snapshot or a revoke event.
func (e event) entries() ([]Revocation, error) {
	var list []entry
	switch e.name {
	case eventSnapshot, eventPart:
		if err := json.Unmarshal(e.data, &list); err != nil {
			return nil, fmt.Errorf("%w: snapshot: %w", errMalformed, err)
		}
		if list == nil {
			return nil, fmt.Errorf("%w: a snapshot is null", errMalformed)
		}
	case eventRevoke:
		list = make([]entry, 1)
		if err := json.Unmarshal(e.data, &list[0]); err != nil {
			return nil, fmt.Errorf("%w: entry: %w", errMalformed, err)
		}
	}
	out := make([]Revocation, len(list))
	for i, w := range list {
		var err error
		if out[i], err = w.revocation(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
