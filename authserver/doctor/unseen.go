package doctor

// Unseen are lines that an examination from outside cannot decide.
type Unseen struct {
	Why string   `json:"why"`
	IDs []string `json:"ids"`
}

// unseen are, with the checks, all lines of the core.
func unseen() []Unseen {
	return []Unseen{
		{"needs tokens that the issuer signs as it is told", []string{
			"RSV-009", "RSV-010", "RSV-013", "RSV-014", "RSV-015", "RSV-018", "RSV-021", "RSV-023", "RSV-025", "RSV-043",
		}},
		{"needs to look into the stores, the log or the settings", []string{
			"TOK-028", "CLI-013", "PWD-017", "PWD-019", "REF-022", "REF-032", "CCG-004", "JWT-002", "JWT-010", "REV-009", "RSV-042", "ACC-011", "ACC-017",
			"AUT-035", "AUT-038", "AUT-042", "PAG-007", "OID-013", "OUT-008",
		}},
		{"would use up limits, from one address or several", []string{
			"CLI-012", "PWD-009", "PWD-010", "PWD-011", "PWD-012", "INT-008", "REV-011", "AUT-040",
		}},
		{"makes or changes accounts or clients, or ends sessions that are others'", []string{
			"PWD-007", "REF-019", "REF-020", "REF-021", "REF-026", "JWT-009", "RSV-030", "RSV-036", "RSV-040", "ACC-003",
			"AUT-019", "AUT-026", "AUT-039",
		}},
		{"needs a browser", []string{"AUT-024", "PAG-001", "PAG-002"}},
		{"needs other programs, which are run in the project's own tests", []string{"OID-008", "OID-009"}},
		{"needs a server that hears of logouts", []string{"OUT-005", "OUT-006", "OUT-007"}},
		{"takes days", []string{"REF-017", "REF-018"}},
		{"needs a route or an issuer of its own", []string{"RSV-005", "RSV-007", "AUT-034", "OID-015"}},
	}
}
