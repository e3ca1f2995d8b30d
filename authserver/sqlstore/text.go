package sqlstore

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// writeText makes c take every string that a request can bring. PostgreSQL
// refuses a statement with broken UTF-8 or a NUL in it, where nothing has that
// name, and what is recorded about such a request must not be lost.
func writeText(_ context.Context, c *pgx.Conn) error {
	c.TypeMap().RegisterType(&pgtype.Type{Name: "text", OID: pgtype.TextOID, Codec: textCodec{}})
	return nil
}

type textCodec struct{ pgtype.TextCodec }

// PlanEncode is pgtype.TextCodec's but for strings.
func (c textCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(string); ok {
		return textPlan{}
	}
	return c.TextCodec.PlanEncode(m, oid, format, value)
}

type textPlan struct{}

// Encode writes U+FFFD for what is not text.
func (textPlan) Encode(value any, buf []byte) ([]byte, error) {
	s := strings.ToValidUTF8(value.(string), "\uFFFD")
	return append(buf, strings.ReplaceAll(s, "\x00", "\uFFFD")...), nil
}
