package pgtest

import (
	"database/sql"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// Databases makes databases that are copies of one.
type Databases struct {
	server *Server
	db     *sql.DB
	made   atomic.Int64
}

// Databases returns a maker of empty databases. If fill is given, they are
// copies of what it made of the one at url; it must leave no connection open.
func (s *Server) Databases(fill func(url string)) *Databases {
	s.t.Helper()
	db, err := sql.Open("pgx", s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	if fill != nil {
		fill(s.database("template1"))
	}
	return &Databases{server: s, db: db}
}

// New makes a database and returns its URL.
func (d *Databases) New(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", d.made.Add(1))
	if _, err := d.db.ExecContext(t.Context(), "create database "+name); err != nil {
		t.Fatal(err)
	}
	return d.server.database(name)
}

func (s *Server) database(name string) string {
	s.t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.JoinPath("..", name).String()
}
