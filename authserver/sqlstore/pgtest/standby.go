package pgtest

import (
	"database/sql"
	"net/url"
	"testing"
	"time"
)

// Standby starts a server that follows s from now on, with the same settings
// but its port. It follows asynchronously unless s is told otherwise.
func (s *Server) Standby() *Server {
	s.t.Helper()
	standby := prepare(s.t, s.settings...)
	if out, err := standby.command("pg_basebackup", "--pgdata="+standby.data(), "--write-recovery-conf",
		"--checkpoint=fast", "--no-sync", "--dbname="+s.URL).CombinedOutput(); err != nil {
		s.t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	standby.Start()
	return standby
}

// Promote makes a standby a primary, and returns when it takes writes.
func (s *Server) Promote() {
	s.t.Helper()
	if out, err := s.command("pg_ctl", "promote", "--pgdata="+s.data(), "--wait").CombinedOutput(); err != nil {
		s.t.Fatalf("pg_ctl promote: %v\n%s", err, out)
	}
}

// Synchronize lets s confirm a commit only when a standby has it too, and
// returns when there is one.
func (s *Server) Synchronize() {
	s.t.Helper()
	db, err := sql.Open("pgx", s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"} {
		if _, err := db.ExecContext(s.t.Context(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		var n int
		if err := db.QueryRowContext(s.t.Context(), "select count(*) from pg_stat_replication where sync_state = 'sync'").Scan(&n); err != nil {
			s.t.Fatal(err)
		}
		if n > 0 {
			return
		}
		if time.Since(began) > patience {
			s.t.Fatalf("no standby within %v", patience)
		}
	}
}

// Both is a URL with two servers, of which the one that takes writes is meant.
func Both(t testing.TB, a, b *Server) string {
	t.Helper()
	u, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	other, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host += "," + other.Host
	q := u.Query()
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	return u.String()
}
