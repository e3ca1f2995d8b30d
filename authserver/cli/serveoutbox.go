package cli

import (
	"log/slog"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/backchannel"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/outbox"
	"github.com/tokenwright/tokenwright/authserver/sqlstore"
	"github.com/tokenwright/tokenwright/config"
)

// openOutbox is what sends what waits in the database.
func openOutbox(cfg *config.Config, db *sqlstore.DB, master *keys.Master, ring *keys.Ring, store authserver.SessionStore, logger *slog.Logger) (*outbox.Outbox, error) {
	box, err := master.Box(outbox.Label)
	if err != nil {
		return nil, err
	}
	return outbox.New(outbox.Deps{
		Store: db,
		Box:   box,
		Kinds: backchannel.Kinds(backchannel.Deps{
			Issuer:    cfg.Identity.Issuer,
			Algorithm: cfg.Keys.IDTokenAlgorithm,
			Sign:      ring.SignAs,
			Facts:     db,
			Sessions:  store,
			Ended:     db,
			Caller:    outbox.NewCaller(cfg.Outbound.OutboundAllow),
		}),
		Logger: logger,
	}), nil
}
