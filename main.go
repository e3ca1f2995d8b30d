// Tokenwright is a self-hosted OAuth 2 authorization server.
package main

import (
	"os"

	"github.com/tokenwright/tokenwright/authserver/cli"
)

func main() {
	os.Exit(cli.Run(cli.UntilSignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
