package resource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func readAll(r io.Reader) (events []event, err error) {
	s := newEventReader(r)
	for {
		e, err := s.next()
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
}

func TestEventReader(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"an event", "event: ping\nid: 7\ndata: {}\n\n", `ping 7 "{}";`},
		{"lines that end in CRLF", "event: ping\r\nid: 7\r\ndata: {}\r\n\r\n", `ping 7 "{}";`},
		{"no space after the colon", "event:ping\nid:7\ndata:{}\n\n", `ping 7 "{}";`},
		{"a comment and fields that are not known", ": hello\nretry: 5\nx\nevent: ping\n\n", `ping -1 "";`},
		{"data on two lines", "event: x\ndata: a\ndata: b\n\n", `x -1 "a\nb";`},
		{"empty lines between", "\n\nevent: a\n\n\n\nevent: b\n\n", `a -1 "";b -1 "";`},
		{"an event that is not complete", "event: a\n\nevent: b\ndata: x\n", `a -1 "";`},
		{"a line that is not complete", "event: a\n\nevent", `a -1 "";`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			events, err := readAll(iotest.OneByteReader(strings.NewReader(tc.text)))
			var got strings.Builder
			for _, e := range events {
				fmt.Fprintf(&got, "%s %d %q;", e.name, e.id, e.data)
			}
			if got.String() != tc.want || !errors.Is(err, io.EOF) {
				t.Errorf("got %s, %v; want %s", got.String(), err, tc.want)
			}
		})
	}
}

// endless is a line that never ends.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestEventReaderIsBounded(t *testing.T) {
	for name, start := range map[string]string{"a line": "data: ", "a comment": ":", "the data of a revoke": "event: revoke\ndata: "} {
		t.Run(name, func(t *testing.T) {
			rest := &endless{}
			_, err := readAll(io.MultiReader(strings.NewReader(start), rest))
			if !errors.Is(err, errMalformed) || rest.read > 2*maxLine {
				t.Errorf("%v after %d bytes", err, rest.read)
			}
		})
	}
	t.Run("many lines of data", func(t *testing.T) {
		text := "event: revoke\n" + strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", 100)
		if _, err := readAll(strings.NewReader(text)); !errors.Is(err, errMalformed) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a snapshot of 20,000 entries is not too much", func(t *testing.T) {
		entry := `{"seq":1,"kind":"token","id":"01234567890123456789","reason":"logout","until":1800000000}`
		text := "event: snapshot\nid: 1\ndata: [" + strings.Repeat(entry+",", 19_999) + entry + "]\n\n"
		events, _ := readAll(strings.NewReader(text))
		if len(events) != 1 {
			t.Fatalf("%d events", len(events))
		}
		if entries, err := events[0].entries(); err != nil || len(entries) != 20_000 {
			t.Errorf("%d entries, %v", len(entries), err)
		}
	})
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte("event: snapshot\nid: 2\ndata: [{\"seq\":1,\"kind\":\"user\",\"id\":\"s\",\"epoch\":3,\"reason\":\"logout\",\"until\":1800000000}]\n\n"))
	f.Add([]byte("event: revoke\nid: 3\ndata: {\"seq\":3,\"kind\":\"token\",\"id\":\"j\",\"until\":1800000000}\n\nevent: ping\nid: 3\ndata: {}\n\n"))
	f.Add([]byte(": x\r\ndata\n\nid: -1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := readAll(bytes.NewReader(text))
		if !errors.Is(err, io.EOF) && !errors.Is(err, errMalformed) {
			t.Errorf("got %v", err)
		}
		for _, e := range events {
			entries, err := e.entries()
			if err != nil && !errors.Is(err, errMalformed) {
				t.Errorf("got %v", err)
			}
			for _, r := range entries {
				if r.Kind == "" || r.ID == "" || r.Seq < 1 || r.Epoch < 0 || r.Until.Unix() < 1 {
					t.Errorf("took %+v", r)
				}
			}
			ended := NewEnded()
			ended.Replace(entries...)
			ended.Apply(entries...)
		}
	})
}
