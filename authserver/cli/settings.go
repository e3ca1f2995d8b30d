package cli

import (
	"errors"
	"os"

	"golang.org/x/term"

	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/config"
)

// settings reads the settings; flags are those that were given, by the names of
// their variables. Nothing is made yet.
func (c *console) settings(flags map[string]string, demo bool) (*config.Config, error) {
	file, ok := c.err.(*os.File)
	cfg, err := config.Load(config.Sources{
		Flags:    flags,
		Environ:  c.environ,
		DotEnv:   ".env",
		Terminal: ok && term.IsTerminal(int(file.Fd())),
		Demo:     demo,
	})
	if cfg.Keys.SecretKey.IsSet() { // a weak one is one more fault of the settings
		_, weak := newMaster(cfg.Keys)
		err = errors.Join(err, weak)
	}
	if err != nil { // which may be because of them
		for _, hint := range cfg.Hints() {
			err = errors.Join(err, errors.New(hint))
		}
	}
	return &cfg, err
}

func newMaster(cfg config.Keys) (*keys.Master, error) {
	return keys.NewMaster(cfg.SecretKey.Reveal(), cfg.SecretKeyPrevious.Reveal()...)
}
