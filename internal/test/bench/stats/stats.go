// Package stats has the rows that the benches of sinks write: the flow's statistics of
// images, as records and as the table.
package stats

import (
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/transforms/ifcbstats"
)

// Table makes the table t, the flow's own without its other indexes.
const Table = `CREATE TABLE t (time INT, ifcb_id VARCHAR(7), roi INT, name VARCHAR NOT NULL, classifier VARCHAR NOT NULL, prob FLOAT NOT NULL,
	classification_time INT NOT NULL, biovolume FLOAT NOT NULL, carbon FLOAT NOT NULL, hab BOOLEAN NOT NULL, PRIMARY KEY (time, ifcb_id, roi))`

// Schema is that of the values, without its documentation, which JSON with schemas would
// repeat in each of them.
var Schema = plain(ifcbstats.ValueSchema)

func plain(s *connector.Schema) *connector.Schema {
	var fields []connector.Field
	for _, f := range s.Fields() {
		fields = append(fields, connector.F(f.Name, f.Schema.WithDoc("")))
	}
	return connector.StructOf(s.Name(), fields...)
}

// bin is how many images a bin has.
const bin = 500

// Key gives the i-th row's: time and image, of one instrument.
func Key(i int) (time, roi int32) { return int32(1564349199 + i/bin), int32(i % bin) }

// Instrument is the rest of each key.
const Instrument = "IFCB104"

// Value gives the i-th row.
func Value(i int) *connector.Struct {
	time, roi := Key(i)
	return connector.NewStruct(Schema).Set("time", time).Set("ifcb_id", Instrument).Set("roi", roi).
		Set("name", "Alexandrium_catenella").Set("classifier", "ifcb-2026:3").Set("prob", float32(i%997)/997).Set("classification_time", int32(1764349199)).
		Set("biovolume", float32(i)*1.37).Set("carbon", float32(i)*0.017).Set("hab", i%7 == 0)
}
