package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/pg"
)

// fits says which field a table has no column for that takes any of its values, nil
// where each has one: what schema.validate asks before a row is written.
func (p *plan) fits(timestamps map[string]bool) error {
	for i := range p.fields {
		if f, col := &p.fields[i], &p.columns[i]; f.schema != nil && !takes(f, col, timestamps[f.name]) {
			return fmt.Errorf("table %s: column %s of type %s takes no value of field %s, which is of type %s: change the column, or convert the field (Cast, TimestampConverter, Flatten)",
				p.table.Name, col.Name, col.Type, f.name, typeOfField(f))
		}
	}
	return nil
}

// typeOfField names a field's type as its schema does.
func typeOfField(f *field) string {
	if name := f.schema.Name(); name != "" {
		return name
	}
	return f.schema.Type().String()
}

// takes tells whether a column may take values of a field, whatever the server says of
// single ones. A timestamp is one by configuration.
func takes(f *field, col *pg.Column, timestamp bool) bool {
	if col.OID == pgtype.JSONOID || col.OID == pgtype.JSONBOID || f.logical != nil && f.schema.Type() != connector.Array && f.schema.Type() != connector.Object {
		return true
	}
	switch f.schema.Name() {
	case connector.DateName, connector.TimeName, connector.TimestampName:
		return col.Category == 'D' || col.Category == 'S'
	case connector.DecimalName:
		return !temporal(col) && col.OID != pgtype.BoolOID
	}
	switch f.schema.Type() {
	case connector.String:
		return true
	case connector.Boolean:
		return col.Category != 'N' && !temporal(col)
	case connector.Bytes:
		return col.OID == pgtype.ByteaOID
	case connector.Map:
		return isHstore(col)
	case connector.Object:
		return takesStruct(f, col)
	case connector.Array:
		if col.Category != 'A' {
			return f.logical != nil
		}
		return takes(elementOf(f), elementColumn(col), timestamp)
	}
	return (timestamp && f.schema.Type() == connector.Int64 || !temporal(col)) && col.OID != pgtype.BoolOID
}

// takesStruct tells it of the types of Debezium's that are structs.
func takesStruct(f *field, col *pg.Column) bool {
	switch {
	case f.logical == nil:
		return false
	case f.logical.column == "DECIMAL":
		return !temporal(col) && col.OID != pgtype.BoolOID
	case f.logical.column == "SPARSEVEC":
		return bare(col.Type) == "sparsevec"
	case col.OID == pgtype.PointOID:
		return f.logical.column == "POINT"
	}
	return isGeometry(col)
}
