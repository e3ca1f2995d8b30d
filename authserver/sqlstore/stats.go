package sqlstore

import "database/sql"

// Stats are the statistics of the pools of connections, by name: "write" and
// "read", or where they are one, "all". What migrations run on is left out.
func (d *DB) Stats() map[string]sql.DBStats {
	if d.r.DB == d.w.DB {
		return map[string]sql.DBStats{"all": d.w.Stats()}
	}
	return map[string]sql.DBStats{"write": d.w.Stats(), "read": d.r.Stats()}
}
