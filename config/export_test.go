package config

// DefaultsForTest lists NAME=default as the tags have it.
func DefaultsForTest() (list []string) {
	for _, v := range variables() {
		list = append(list, v.name+"="+v.fallback)
	}
	return list
}

// VariablesForTest maps the names of the settings to those of their fields.
func VariablesForTest() map[string]string {
	fields := make(map[string]string)
	for _, v := range variables() {
		fields[v.name] = v.field
	}
	return fields
}
