package loop

import (
	"encoding/binary"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/avro"
)

// Schema is that of the Avro values: what a sensor says in ten numbers and texts, and a
// text that makes it as large as is wanted.
const Schema = `{"type": "record", "name": "Reading", "fields": [
	{"name": "station", "type": "string"},
	{"name": "instrument", "type": "string"},
	{"name": "sequence", "type": "long"},
	{"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
	{"name": "valid", "type": "boolean"},
	{"name": "temperature", "type": "double"},
	{"name": "salinity", "type": "double"},
	{"name": "depth", "type": "float"},
	{"name": "chlorophyll", "type": ["null", "double"]},
	{"name": "quality", "type": "int"},
	{"name": "note", "type": "string"}]}`

// Values gives what writes the i-th value, as Confluent's converter does with the id of
// its schema, about so large.
func Values(id uint32, size int) (func(i int) ([]byte, error), error) {
	s, err := avro.Parse(Schema)
	if err != nil {
		return nil, err
	}
	note := strings.Repeat("the quick brown fox jumps over the lazy dog ", size)
	value := func(i int, note string) ([]byte, error) {
		return s.Append(binary.BigEndian.AppendUint32([]byte{0}, id), map[string]any{
			"station": "MVCO-4m-north", "instrument": "IFCB-104", "sequence": int64(i), "time": int64(1_700_000_000_000 + i), "valid": i%7 > 0,
			"temperature": float64(i%400) / 20, "salinity": 31 + float64(i%50)/40, "depth": float32(4.5), "chlorophyll": float64(i%90) / 10,
			"quality": int32(i % 5), "note": note})
	}
	rest, err := value(0, "")
	if err != nil {
		return nil, err
	}
	note = note[:max(0, size-len(rest))]
	return func(i int) ([]byte, error) { return value(i, note) }, nil
}
