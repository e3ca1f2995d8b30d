package password_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/tokenwright/tokenwright/authserver/password"
)

var (
	cheap = password.Argon2Params{Memory: 64, Time: 1, Threads: 1}
	slow  = password.Argon2Params{Memory: 16 << 10, Time: 2, Threads: 1}
)

func newHasher(t testing.TB, c password.Config) *password.Hasher {
	t.Helper()
	if c.Argon2 == (password.Argon2Params{}) {
		c.Argon2 = cheap
	}
	if c.BcryptCost == 0 {
		c.BcryptCost = bcrypt.MinCost
	}
	if c.Queue == 0 {
		c.Queue, c.Wait = 1000, time.Minute
	}
	h, err := password.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// What is not said is not made up: no queue is no queue.
func TestZeroQueueAndZeroWaitMeanThat(t *testing.T) {
	for _, c := range []password.Config{
		{Argon2: slow, Concurrency: 1, Queue: 0, Wait: time.Minute},
		{Argon2: slow, Concurrency: 1, Queue: 10, Wait: 0},
	} {
		h, err := password.New(c)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var busy atomic.Int64
		for range 20 {
			wg.Go(func() {
				if _, err := h.Hash(t.Context(), "correct horse"); err != nil {
					if _, ok := errors.AsType[*password.BusyError](err); !ok {
						t.Error(err)
					}
					busy.Add(1)
				}
			})
		}
		wg.Wait()
		if s := h.Stats(); busy.Load() == 0 || s.Waiting != 0 {
			t.Errorf("queue %d, wait %v: %d of 20 were sent away", c.Queue, c.Wait, busy.Load())
		}
	}
}

func hash(t testing.TB, h *password.Hasher, pw string) string {
	t.Helper()
	s, err := h.Hash(t.Context(), pw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPasswordsAreBytes(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, algorithm := range []string{password.Argon2id, password.Bcrypt} {
		h := newHasher(t, password.Config{Algorithm: algorithm})
		for _, tc := range []struct{ name, pw, other string }{
			{"a trailing space counts", "correct horse", "correct horse "},
			{"a leading space counts", "correct horse", " correct horse"},
			{"case counts", "correct horse", "Correct horse"},
			{"a trailing NUL counts", "correct", "correct\x00"},
			{"what follows a NUL counts", "correct", "correct\x00correct"},
			{"composed and decomposed letters differ", "caf\u00e9 horse", "cafe\u0301 horse"},
			{"what follows the 72nd byte counts", long[:72], long},
			{"empty is no wildcard", "correct horse", ""},
		} {
			t.Run("PWD-006 "+algorithm+": "+tc.name, func(t *testing.T) {
				stored := hash(t, h, tc.pw)
				if ok, upgrade, err := h.Verify(t.Context(), stored, tc.pw); !ok || upgrade || err != nil {
					t.Errorf("its own password: got %v, %v, %v", ok, upgrade, err)
				}
				if ok, upgrade, err := h.Verify(t.Context(), stored, tc.other); ok || upgrade || err != nil {
					t.Errorf("the other password: got %v, %v, %v", ok, upgrade, err)
				}
			})
		}
	}
	t.Run("PWD-006 PWD-007 argon2id tells the 73rd byte of 100 and takes 1024", func(t *testing.T) {
		h := newHasher(t, password.Config{})
		changed := []byte(long)
		changed[72] = 'y'
		if ok, _, _ := h.Verify(t.Context(), hash(t, h, long), string(changed)); ok {
			t.Error("the 73rd byte made no difference")
		}
		kilobyte := strings.Repeat("é", 512)
		if ok, _, _ := h.Verify(t.Context(), hash(t, h, kilobyte), kilobyte); !ok {
			t.Error("1024 bytes did not verify")
		}
	})
	t.Run("bcrypt refuses to set what it would cut off or confuse", func(t *testing.T) {
		h := newHasher(t, password.Config{Algorithm: password.Bcrypt})
		if _, err := h.Hash(t.Context(), long[:73]); !errors.Is(err, password.ErrTooLong) {
			t.Errorf("73 bytes: got %v", err)
		}
		if _, err := h.Hash(t.Context(), "corr\x00ect"); !errors.Is(err, password.ErrNUL) {
			t.Errorf("a NUL: got %v", err)
		}
		if n := h.Stats().Computed; n != 0 {
			t.Errorf("computed %d hashes for passwords that were refused", n)
		}
	})
}

func TestStoredFormats(t *testing.T) {
	const pw = "correct horse"
	b, err := bcrypt.GenerateFromPassword([]byte(pw), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	tail := string(b[len("$2a"):])
	argon := newHasher(t, password.Config{})
	other := newHasher(t, password.Config{Argon2: password.Argon2Params{Memory: 128, Time: 2, Threads: 2}})
	bc := newHasher(t, password.Config{Algorithm: password.Bcrypt})
	dearer := newHasher(t, password.Config{Algorithm: password.Bcrypt, BcryptCost: bcrypt.MinCost + 1})

	for _, tc := range []struct {
		name    string
		h       *password.Hasher
		stored  string
		upgrade bool
	}{
		{"argon2id with current parameters", argon, hash(t, argon, pw), false},
		{"argon2id with other parameters", argon, hash(t, other, pw), true},
		{"bcrypt $2a$ where argon2id is current", argon, "$2a" + tail, true},
		{"bcrypt $2b$ where argon2id is current", argon, "$2b" + tail, true},
		{"bcrypt $2y$ where argon2id is current", argon, "$2y" + tail, true},
		{"bcrypt $2b$ with the current cost", bc, "$2b" + tail, false},
		{"bcrypt with another cost", dearer, "$2b" + tail, true},
		{"argon2id where bcrypt is current", bc, hash(t, argon, pw), true},
	} {
		t.Run("PWD-017 "+tc.name, func(t *testing.T) {
			if ok, upgrade, err := tc.h.Verify(t.Context(), tc.stored, pw); !ok || upgrade != tc.upgrade || err != nil {
				t.Errorf("right password: got %v, %v, %v", ok, upgrade, err)
			}
			if ok, upgrade, err := tc.h.Verify(t.Context(), tc.stored, pw+"!"); ok || upgrade || err != nil {
				t.Errorf("wrong password: got %v, %v, %v", ok, upgrade, err)
			}
			if !password.Known(tc.stored) {
				t.Error("not known")
			}
		})
	}
	t.Run("no upgrade is asked for that bcrypt would refuse", func(t *testing.T) {
		long := strings.Repeat("x", 73)
		if ok, upgrade, err := bc.Verify(t.Context(), hash(t, argon, long), long); !ok || upgrade || err != nil {
			t.Errorf("got %v, %v, %v", ok, upgrade, err)
		}
	})
	t.Run("a hash that another implementation made", func(t *testing.T) {
		// From the reference implementation's tests.
		const ref = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
		if ok, _, err := argon.Verify(t.Context(), ref, "password"); !ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
	})
}

func TestForeignHashesFailClosed(t *testing.T) {
	h := newHasher(t, password.Config{})
	const pw = "correct horse"
	phc := func(params string, saltLen, tagLen int) string {
		b64 := func(n int) string { return strings.Repeat("QUFB", n/3+1)[:n/3*4] }
		return "$argon2id$v=19$" + params + "$" + b64(saltLen) + "$" + b64(tagLen)
	}
	if !password.Known(phc("m=64,t=1,p=1", 15, 30)) {
		t.Fatal("the hash that the rows edit is not known")
	}
	for _, tc := range []struct{ name, stored string }{
		{"PWD-018 8 GiB of memory", phc("m=8388608,t=1,p=1", 15, 30)},
		{"PWD-018 a million passes", phc("m=64,t=1000000,p=1", 15, 30)},
		{"PWD-018 memory and passes that are too much together", phc("m=262144,t=5,p=1", 15, 30)},
		{"PWD-018 255 lanes", phc("m=4096,t=1,p=255", 15, 30)},
		{"PWD-018 a number beyond 32 bits", phc("m=4294967360,t=1,p=1", 15, 30)},
		{"PWD-018 bcrypt of cost 31", "$2b$31$" + strings.Repeat("a", 53)},
		{"no passes", phc("m=64,t=0,p=1", 15, 30)},
		{"no lanes", phc("m=64,t=1,p=0", 15, 30)},
		{"an empty tag, which everything would match", phc("m=64,t=1,p=1", 15, 0)},
		{"an empty salt", phc("m=64,t=1,p=1", 0, 30)},
		{"a huge salt", phc("m=64,t=1,p=1", 30000, 30)},
		{"parameters in another order", phc("t=1,m=64,p=1", 15, 30)},
		{"an unknown parameter", phc("m=64,t=1,p=1,keyid=1", 15, 30)},
		{"a sign", phc("m=+64,t=1,p=1", 15, 30)},
		{"another version", strings.Replace(phc("m=64,t=1,p=1", 15, 30), "v=19", "v=16", 1)},
		{"argon2i", strings.Replace(phc("m=64,t=1,p=1", 15, 30), "argon2id", "argon2i", 1)},
		{"base64 with padding", phc("m=64,t=1,p=1", 15, 30) + "="},
		{"bcrypt's faulty variant", "$2x$04$" + strings.Repeat("a", 53)},
		{"bcrypt with a byte too many", "$2b$04$" + strings.Repeat("a", 54)},
		{"the password itself", pw},
		{"nothing", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := h.Stats().Computed
			var was, is runtime.MemStats
			runtime.ReadMemStats(&was)
			ok, upgrade, err := h.Verify(t.Context(), tc.stored, pw)
			runtime.ReadMemStats(&is)
			if ok || upgrade || !errors.Is(err, password.ErrUnknownFormat) {
				t.Errorf("got %v, %v, %v", ok, upgrade, err)
			}
			if grown := is.TotalAlloc - was.TotalAlloc; grown > 1<<20 {
				t.Errorf("allocated %d bytes", grown)
			}
			if h.Stats().Computed != before+1 {
				t.Error("a check was not paid for")
			}
			if password.Known(tc.stored) {
				t.Error("known")
			}
		})
	}
}

func TestDummy(t *testing.T) {
	for _, c := range []password.Config{
		{Algorithm: password.Argon2id},
		{Algorithm: password.Bcrypt},
	} {
		t.Run("PWD-004 a stranger's check computes the current "+c.Algorithm, func(t *testing.T) {
			h := newHasher(t, c)
			dummy, mine := h.Dummy(""), hash(t, h, "correct horse")
			params := map[string]int{password.Argon2id: 4, password.Bcrypt: 3}[c.Algorithm]
			cost := func(s string) string { return strings.Join(strings.Split(s, "$")[:params], "$") }
			if cost(dummy) != cost(mine) || len(dummy) != len(mine) {
				t.Errorf("dummy %q does not cost what %q does", dummy, mine)
			}
			before := h.Stats().Computed
			for _, pw := range []string{"", "correct horse", dummy} {
				if ok, upgrade, err := h.Verify(t.Context(), dummy, pw); ok || upgrade || err != nil {
					t.Errorf("%q: got %v, %v, %v", pw, ok, upgrade, err)
				}
			}
			if n := h.Stats().Computed - before; n != 3 {
				t.Errorf("computed %d hashes, want 3", n)
			}
			if newHasher(t, c).Dummy("") == dummy {
				t.Error("two hashers share a dummy")
			}
		})
	}
}

func TestNewNamesWhatIsOutOfRange(t *testing.T) {
	for _, tc := range []struct {
		c    password.Config
		want string
	}{
		{password.Config{Algorithm: "md5"}, `"md5"`},
		{password.Config{Argon2: password.Argon2Params{Memory: 4, Time: 1, Threads: 1}}, "m=4"},
		{password.Config{Argon2: password.Argon2Params{Memory: 1 << 30, Time: 1, Threads: 1}}, "m=1073741824"},
		{password.Config{Algorithm: password.Bcrypt, BcryptCost: 31}, "cost 31"},
		{password.Config{Concurrency: -1}, "concurrency"},
	} {
		if _, err := password.New(tc.c); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %s in it", tc.c, err, tc.want)
		}
	}
}

func TestHangingUpLosesNoTurn(t *testing.T) {
	// PWD-014: 1,000 callers hang up, some waiting and some being served.
	h := newHasher(t, password.Config{Concurrency: 2, Queue: 1000, Wait: time.Minute})
	stored := hash(t, h, "correct horse")
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	var wg sync.WaitGroup
	var served, left atomic.Int64
	for i := range 1000 {
		wg.Go(func() {
			if i == 500 {
				hangUp()
			}
			switch _, _, err := h.Verify(ctx, stored, "correct horse"); {
			case err == nil:
				served.Add(1)
			case errors.Is(err, context.Canceled):
				left.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if served.Load()+left.Load() != 1000 {
		t.Errorf("%d served, %d left", served.Load(), left.Load())
	}
	for range 2 {
		wg.Go(func() {
			if ok, _, err := h.Verify(t.Context(), stored, "correct horse"); !ok || err != nil {
				t.Errorf("afterwards: got %v, %v", ok, err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkVerify(b *testing.B) {
	for _, c := range []password.Config{
		{Algorithm: password.Argon2id, Argon2: password.Argon2Params{Memory: 19456, Time: 2, Threads: 1}},
		{Algorithm: password.Bcrypt, BcryptCost: 12},
	} {
		b.Run(c.Algorithm, func(b *testing.B) {
			h, err := password.New(c)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				h.Verify(b.Context(), h.Dummy(""), "correct horse")
			}
		})
	}
}

func ExampleHasher() {
	h, err := password.New(password.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	stored, _ := h.Hash(ctx, "correct horse")
	ok, upgrade, err := h.Verify(ctx, stored, "correct horse")
	fmt.Println(ok, upgrade, err)
	// Output: true false <nil>
}
