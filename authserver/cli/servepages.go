package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/tokenwright/tokenwright/authserver"
	"github.com/tokenwright/tokenwright/authserver/browser"
	"github.com/tokenwright/tokenwright/authserver/keys"
	"github.com/tokenwright/tokenwright/authserver/pages"
	"github.com/tokenwright/tokenwright/authserver/web"
	"github.com/tokenwright/tokenwright/config"
)

// mountPages completes d and mounts the pages.
func mountPages(site *web.Site, cfg *config.Config, d pages.Deps, store authserver.SessionStore, master *keys.Master) error {
	brand, err := readBrand(cfg.Pages)
	if err != nil {
		return err
	}
	if d.Renderer, err = pages.NewRenderer(brand, cfg.Identity.Path(), d.Logger); err != nil {
		return err
	}
	cookies, err := browser.NewCookies(cfg.Identity.Issuer, master.BrowserKeys())
	if err != nil {
		return err
	}
	d.Browser = browser.NewSessions(cookies, browser.Deps{
		Store: store, Endings: d.Sessions, IdleLifetime: cfg.Pages.IdleLifetime(), Lifetime: cfg.Pages.Lifetime(), Logger: d.Logger,
	})
	if d.Shown, err = master.Box("consent shown"); err != nil {
		return err
	}
	d.RegistrationClosed = cfg.Limits.Registration == "closed"
	pages.Mount(site, d)
	return nil
}

// readBrand reads what the pages show of whoever runs the server.
func readBrand(c config.Pages) (pages.Brand, error) {
	brand := pages.Brand{Name: c.BrandName, Color: c.BrandColor}
	if c.BrandLogoFile != "" {
		info, err := os.Stat(c.BrandLogoFile)
		if err == nil && info.Size() > pages.MaxLogo {
			err = fmt.Errorf("%d bytes: want at most %d", info.Size(), pages.MaxLogo)
		}
		if err == nil {
			brand.Logo, err = os.ReadFile(c.BrandLogoFile)
		}
		if pathErr, ok := errors.AsType[*os.PathError](err); ok {
			err = pathErr.Err
		}
		if err != nil {
			return pages.Brand{}, fmt.Errorf("BRAND_LOGO_FILE=%q: %w", c.BrandLogoFile, err)
		}
	}
	if err := brand.Check(); err != nil {
		return pages.Brand{}, fmt.Errorf("BRAND_COLOR or BRAND_LOGO_FILE: %w", err)
	}
	return brand, nil
}
