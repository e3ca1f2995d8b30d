package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"
)

// console is what a command reads from and writes to.
type console struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
}

// fail prints err as one line and returns the exit code for it.
func (c *console) fail(err error) int {
	fmt.Fprintln(c.err, "tokenwright: "+sentence(err))
	if _, ok := errors.AsType[*usageError](err); ok {
		return 2
	}
	return 1
}

// output is embedded by commands that print data.
type output struct {
	Output string `help:"Form of the output: text or json." enum:"text,json" default:"text"`
}

// print writes data as JSON, or calls text if the user wants to read it.
func (o output) print(c *console, data any, text func(w io.Writer)) error {
	if o.Output == "json" {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(data)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	text(w)
	return w.Flush()
}

// readFile reads a file that the user named, or stdin for "-". One that is over
// most bytes is refused, never cut.
func (c *console) readFile(name string, most int) ([]byte, error) {
	in := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, &plainError{fmt.Sprintf("cannot read %s: %s", name, reasonOf(err)), err}
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err != nil {
		return nil, &plainError{fmt.Sprintf("cannot read %s: %s", name, reasonOf(err)), err}
	}
	if len(text) > most {
		return nil, fmt.Errorf("%s is over %d MiB: split it", name, most>>20)
	}
	return text, nil
}

// maxPasswordLine bounds what is read as a password; the rules about its
// length are the account's.
const maxPasswordLine = 64 << 10

// newPassword asks for a password twice at a terminal; else it is the first
// line of stdin.
func (c *console) newPassword(of string) (string, error) {
	file, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return c.secretLine("password")
	}
	first, err := c.ask(file, "Password for "+of+": ")
	if err != nil {
		return "", err
	}
	second, err := c.ask(file, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ; run the command again")
	}
	return first, nil
}

func (c *console) ask(terminal *os.File, prompt string) (string, error) {
	fmt.Fprint(c.err, prompt)
	text, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(c.err)
	if err != nil {
		return "", fmt.Errorf("read terminal: %w", err)
	}
	return string(text), nil
}

// secretLine reads the first line of stdin, which is a what. The line's end is
// not part of it, all else is.
func (c *console) secretLine(what string) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(c.in, maxPasswordLine+1)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read stdin: %w", err)
	}
	if len(line) > maxPasswordLine {
		return "", fmt.Errorf("the first line of stdin is over %d KiB: pipe in the %s alone", maxPasswordLine>>10, what)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if line == "" {
		return "", fmt.Errorf("no %s came on stdin; type it at a terminal or pipe it in as one line", what)
	}
	return line, nil
}
