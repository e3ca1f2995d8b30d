package pages

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Brand is what the pages show of whoever runs the server.
type Brand struct {
	Name  string // empty: Tokenwright
	Logo  []byte // SVG or PNG, at most MaxLogo bytes; empty: ours
	Color string // #rrggbb; empty: ours
}

// MaxLogo is how many bytes a logo may have.
const MaxLogo = 100 << 10

// WCAG 2.2 §1.4.3: the contrast of text.
const minContrast = 4.5

const (
	defaultName  = "Tokenwright"
	defaultColor = "#0b6b5e"

	// The grounds on which the accent has the least contrast: --page and --sunk
	// of style.css.
	lightGround, darkGround = "#f5f4f0", "#262d2b"
)

// Check says what is wrong with b, in a sentence.
func (b Brand) Check() error {
	_, logo := b.logoType()
	switch {
	case len(b.Logo) > MaxLogo:
		return fmt.Errorf("the logo has %d bytes: at most %d", len(b.Logo), MaxLogo)
	case len(b.Logo) > 0 && !logo:
		return errors.New("the logo is neither SVG nor PNG")
	case b.Color == "":
		return nil
	}
	c, err := parseColor(b.Color)
	if err != nil {
		return err
	}
	if contrast := c.contrast(white); contrast < minContrast {
		return fmt.Errorf("white text on %s has a contrast of %.1f:1: at least %.1f:1 (WCAG 2.2 §1.4.3)", b.Color, math.Floor(contrast*10)/10, minContrast)
	}
	return nil
}

// logoType returns how the logo's file name ends.
func (b Brand) logoType() (string, bool) {
	head := b.Logo[:min(len(b.Logo), 1024)]
	switch {
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return ".png", true
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("<")) && bytes.Contains(head, []byte("<svg")):
		return ".svg", true
	}
	return "", false
}

// css are the two colours that the stylesheet takes from the brand: one under
// white text, and one for text and rings, per scheme.
func (b Brand) css() (string, error) {
	c, err := parseColor(b.Color)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(":root{--brand:%s;--accent:%s}\n@media (prefers-color-scheme:dark){:root{--accent:%s}}\n",
		c, c.towards(black, lightGround), c.towards(white, darkGround)), nil
}

type color [3]uint8

var black, white = color{}, color{255, 255, 255}

func parseColor(s string) (color, error) {
	n, err := strconv.ParseUint(s[min(len(s), 1):], 16, 24)
	if err != nil || len(s) != 7 || s[0] != '#' {
		return color{}, fmt.Errorf("the colour %q is not of the form #rrggbb", s)
	}
	return color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

func (c color) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// towards mixes c with end until it can be read on ground, which is a constant.
func (c color) towards(end color, ground string) color {
	on, _ := parseColor(ground)
	mixed := c
	for part := 0.0; mixed.contrast(on) < minContrast && part < 1; part += 0.05 {
		for i := range mixed {
			mixed[i] = uint8(math.Round(float64(c[i])*(1-part) + float64(end[i])*part))
		}
	}
	return mixed
}

// contrast is that of WCAG 2.2: from 1 to 21.
func (c color) contrast(other color) float64 {
	a, b := c.luminance(), other.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func (c color) luminance() float64 {
	linear := func(v uint8) float64 {
		if s := float64(v) / 255; s > 0.04045 {
			return math.Pow((s+0.055)/1.055, 2.4)
		} else {
			return s / 12.92
		}
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}
