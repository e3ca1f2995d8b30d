package config

import (
	"fmt"
	"reflect"
	"strings"
)

// variable is one setting as Config's tags describe it.
type variable struct {
	name     string // of the environment variable
	field    string // of Config's field; no two are alike
	fallback string // the default; empty also if it depends on other settings
	form     string // what is accepted, to follow "want "
	oneof    []string
	min, max int // of a whole number, if max is not 0
	secret   string
}

const (
	secretText = "text" // never shown
	secretURL  = "url"  // shown without what is before the @ and behind the ?
)

// variables lists the settings in the order of Config.
func variables() []variable { return variablesOf(reflect.TypeFor[Config]()) }

func variablesOf(section reflect.Type) (list []variable) {
	for f := range section.Fields() {
		name, ok := f.Tag.Lookup("env")
		if !ok {
			if f.IsExported() && f.Type.Kind() == reflect.Struct {
				list = append(list, variablesOf(f.Type)...)
			}
			continue
		}
		v := variable{
			name: name, field: f.Name, fallback: f.Tag.Get("envDefault"),
			form: f.Tag.Get("form"), oneof: strings.Fields(f.Tag.Get("oneof")), secret: f.Tag.Get("secret"),
		}
		if n, _ := fmt.Sscan(f.Tag.Get("range"), &v.min, &v.max); n == 2 {
			v.form = fmt.Sprintf("a whole number from %d to %d", v.min, v.max)
		}
		if last := len(v.oneof) - 1; last > 0 {
			v.form = strings.Join(v.oneof[:last], ", ") + " or " + v.oneof[last]
		}
		list = append(list, v)
	}
	return list
}
