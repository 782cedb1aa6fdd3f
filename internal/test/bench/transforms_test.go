package bench

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/transforms/smt"
)

// BenchmarkTransforms measures single message transforms of Kafka Connect with
// one record each, a struct of eight fields.
func BenchmarkTransforms(b *testing.B) {
	inner := connector.StructOf("inner", connector.F("x", connector.Float64Schema), connector.F("y", connector.Float64Schema))
	schema := connector.StructOf("record",
		connector.F("id", connector.Int64Schema), connector.F("name", connector.StringSchema), connector.F("at", connector.StringSchema),
		connector.F("n", connector.Int32Schema), connector.F("area", connector.Float64Schema), connector.F("ok", connector.BooleanSchema),
		connector.F("note", connector.OptionalStringSchema), connector.F("point", inner))
	value := connector.NewStruct(schema).Set("id", int64(1)).Set("name", "a").Set("at", "2017-01-03T06:30:01.864Z").Set("n", int32(7)).
		Set("area", 1.5).Set("ok", true).Set("point", connector.NewStruct(inner).Set("x", 1.0).Set("y", 2.0))
	record := connector.NewRecord("db.app.images", nil, nil, schema, value)
	record.Timestamp = 1564349199000
	for _, c := range []struct {
		class string
		props connector.Props
	}{
		{"Cast$Value", connector.Props{"spec": "n:int64,area:float32"}},
		{"ReplaceField$Value", connector.Props{"exclude": "note", "renames": "name:label"}},
		{"TimestampConverter$Value", connector.Props{"field": "at", "target.type": "Timestamp", "format": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"}},
		{"Flatten$Value", nil},
		{"RegexRouter", connector.Props{"regex": `(\w+)\.(\w+)\.(\w+)`, "replacement": "$3"}},
	} {
		b.Run(c.class, func(b *testing.B) {
			plugin, err := connector.Plugins.New(connector.TransformType, "org.apache.kafka.connect.transforms."+c.class)
			check(b, err)
			t := plugin.(connector.Transform)
			conf, err := connector.ParsePlugin(t, c.props)
			check(b, err)
			check(b, t.Configure(connector.Context{}, conf))
			b.ReportAllocs()
			for b.Loop() {
				_, _, err := t.Apply(b.Context(), record)
				check(b, err)
			}
		})
	}
}
