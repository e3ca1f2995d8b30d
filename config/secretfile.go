package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// secretFile is where the SECRET_KEY is that a server makes for itself.
const secretFile = "data/secret.key"

// readSecretFile returns nothing if there is no such file.
func readSecretFile() (string, error) {
	info, err := os.Stat(secretFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("want a readable file: %w", cause(err))
	}
	// Windows has no such bits; Go makes them up there.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("others may read or write the file (mode %04o): run chmod 600 %s, and think of a new secret if they may have", mode, secretFile)
	}
	return readSecret(secretFile)
}

// MakeSecretKey makes a SECRET_KEY and keeps it in data/secret.key if there is
// none yet. Of several servers that start at once in one directory, all take
// the one that was first.
func (c *Config) MakeSecretKey() error {
	if c.Keys.SecretKey.IsSet() {
		return nil
	}
	if err := writeSecretFile(); err != nil {
		return fmt.Errorf("%s cannot be made: %w: set SECRET_KEY, or let this user write there", secretFile, err)
	}
	text, err := readSecretFile()
	if err != nil {
		return fmt.Errorf("SECRET_KEY from %s: %w", secretFile, err)
	}
	c.Keys.SecretKey = NewSecret(text)
	for i, s := range c.settings {
		if s.Name == "SECRET_KEY" {
			c.settings[i] = Setting{s.Name, redacted, "file " + secretFile}
		}
	}
	return nil
}

// writeSecretFile does nothing if the file is there. The file gets its name
// when it is complete: nobody reads half a secret.
func writeSecretFile() error {
	dir := filepath.Dir(secretFile)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cause(err)
	}
	f, err := os.CreateTemp(dir, ".secret-*") // 0600
	if err != nil {
		return cause(err)
	}
	defer os.Remove(f.Name())
	secret := make([]byte, 48)
	rand.Read(secret) // never fails
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(secret))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	err = os.Link(f.Name(), secretFile)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// readSecret reads a file whose last line end is not part of the secret.
func readSecret(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("want a readable file: %w", cause(err))
	}
	text := strings.TrimRight(string(content), "\r\n")
	if text == "" {
		return "", errors.New("want a file with the secret in it: it is empty")
	}
	return text, nil
}

// nameable reports whether path may be told in a fault: it is one, and not the
// secret itself in the wrong variable.
func nameable(path string) bool {
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return true
		}
	}
	return len(path) < 16
}
