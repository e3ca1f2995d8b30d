package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/joho/godotenv"
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// dollar stands for $ while godotenv reads: it would expand $NAME even where
// nobody meant that, and a SECRET_KEY is the bytes as written.
const dollar = "\uE000"

// readDotEnv reads a file of NAME=value lines; one that is not there is empty.
// It is read line by line, so that the error can name every line that is wrong.
func readDotEnv(path string) (map[string]string, error) {
	values := make(map[string]string)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return values, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: make it readable or remove it", path, cause(err))
	}
	var faults []error
	n := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(string(text), "\uFEFF"), "\n") {
		n++
		parsed, err := godotenv.Unmarshal(strings.ReplaceAll(line, "$", dollar))
		ok := err == nil && utf8.ValidString(line)
		for name := range parsed {
			ok = ok && variableName.MatchString(name)
		}
		if !ok { // godotenv's words have the value
			faults = append(faults, fmt.Errorf("%s line %d: want NAME=value in UTF-8, with any quote closed on the same line", path, n))
			continue
		}
		for name, value := range parsed {
			values[name] = strings.ReplaceAll(value, dollar, "$")
		}
	}
	return values, errors.Join(faults...)
}

// cause is what went wrong with a file, without its name.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
