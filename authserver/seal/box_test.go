package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func box(t *testing.T, names ...string) Box {
	t.Helper()
	var keys []Key
	for _, name := range names {
		k := Key{}
		copy(k.ID[:], name)
		copy(k.Bytes[:], strings.Repeat(name, KeySize))
		keys = append(keys, k)
	}
	b, err := NewBox(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatIsSealedIsOpened(t *testing.T) {
	plain, additional := []byte("plain"), []byte("beside it")
	old := box(t, "old.")
	text := old.SealText(plain, additional)
	if text == old.SealText(plain, additional) || strings.Contains(text, "plain") {
		t.Error("sealed twice it is the same, or it is not sealed")
	}
	for name, b := range map[string]Box{"by its own key": old, "after another key came": box(t, "new.", "old.")} {
		if got, err := b.OpenText(text, additional); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := box(t, "new.").OpenText(text, additional); !errors.Is(err, ErrNotOurs) {
		t.Errorf("without its key: %v", err)
	}
	if _, err := old.OpenText(text, []byte("beside")); !errors.Is(err, ErrNotOurs) {
		t.Errorf("with something else beside it: %v", err)
	}
}

func TestOneSpellingOpens(t *testing.T) {
	b := box(t, "key.")
	text := b.SealText([]byte("plain"), nil) // 49 bytes: four bits of the last letter say nothing
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range text {
		for _, letter := range alphabet {
			other := text[:i] + string(letter) + text[i+1:]
			if _, err := b.OpenText(other, nil); other != text && err == nil {
				t.Fatalf("byte %d changed to %c: opened", i, letter)
			}
		}
	}
	for name, other := range map[string]string{
		"nothing": "", "its beginning": text[:20], "padded": text + "=", "a line end": text[:9] + "\n" + text[9:], "more": text + "AAAA",
	} {
		if _, err := b.OpenText(other, nil); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
