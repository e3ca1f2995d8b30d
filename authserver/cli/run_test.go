package cli

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
)

// run is Run in the folder of the test, with nothing on stdin but input.
func run(t *testing.T, input string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err strings.Builder
	code = Run(t.Context(), args, strings.NewReader(input), &out, &err, nil)
	return out.String(), err.String(), code
}

func TestMintIsAudited(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, stderr, code := run(t, "correct horse battery\n", "user", "add", "alice", "--email", "alice@example.com"); code != 0 {
		t.Fatal(stderr)
	}
	token, stderr, code := run(t, "", "token", "mint", "--user", "alice")
	if code != 0 {
		t.Fatal(stderr)
	}
	ctx := context.Background()
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: "sqlite:data/tokenwright.db"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	alice, err := db.UserByLogin(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	events, err := db.Events(ctx, authserver.Page{Limit: 1})
	if err != nil || len(events) != 1 {
		t.Fatalf("got %v, %v", events, err)
	}
	e := events[0]
	if e.Act != "token.mint" || e.Actor != "cli" || e.Subject != alice.Subject || e.Result != "success" {
		t.Errorf("got %+v, want alice's token.mint by cli", e)
	}
	if strings.Count(token, ".") != 2 {
		t.Errorf("got %q, want a token", token)
	}
}

func TestLockedDatabase(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, stderr, code := run(t, "", "migrate", "up"); code != 0 {
		t.Fatal(stderr)
	}
	other, err := sql.Open("sqlite", "file:data/tokenwright.db?_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	_, stderr, code := run(t, "", "user", "list")
	if code != 1 || !strings.HasPrefix(stderr, "tokenwright: the database does not answer (") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got %d %q, want one sentence about the database", code, stderr)
	}
}
