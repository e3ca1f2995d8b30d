package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Hints are sentences about names in the file .env that are no setting and
// nearly one: another program may mean them, so that they are no fault.
func (c Config) Hints() []string { return slices.Clone(c.hints) }

func hints(vars []variable, path string, dotenv map[string]string) (hints []string) {
	var names []string
	for _, v := range vars {
		names = append(names, v.name)
		if v.secret != "" {
			names = append(names, v.name+"_FILE")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dotenv)) {
		if slices.Contains(names, name) {
			continue
		}
		best, least := "", 3
		for _, known := range names {
			if d := distance(strings.ToUpper(name), known); d < least && d <= max(1, len(known)/4) {
				best, least = known, d
			}
		}
		if best != "" {
			hints = append(hints, fmt.Sprintf("%s: %s is no setting: did you mean %s?", path, name, best))
		}
	}
	return hints
}

// distance is how many bytes have to be put in, taken out or changed to make a b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
