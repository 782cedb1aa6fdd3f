package ifcbstats

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func classified() map[string]any {
	return map[string]any{
		"ifcb_id": "IFCB104", "datetime": int64(1564349199), "roi": int64(2), "image": "iVBORw0KGgo=",
		"name": "Ciliates", "prob": 0.9, "classifier": "m:1", "classification_time": int64(1700000000),
		"biovolume": 204624.5, "carbon": 1234.25, "hab": false,
	}
}

func record(key string, value map[string]any) connector.Record {
	return connector.NewRecord("ifcb-images", connector.StringSchema, key, nil, value)
}

func TestTransform(t *testing.T) {
	connectortest.Transform(t, connectortest.TransformCase{
		New:     func() connector.Transform { return new(Transform) },
		Records: []connector.Record{record("D20190728T212639_IFCB104_00002", classified())},
	})
}

func TestOriginalForm(t *testing.T) {
	for key, pid := range map[string]string{
		"D20190728T212639_IFCB104_00002": "D20190728T212639_IFCB104",
		"IFCB5_2012_028_081515_00002":    "IFCB5_2012_028_081515",
	} {
		out, keep, err := new(Transform).Apply(context.Background(), record(key, classified()))
		if err != nil || !keep {
			t.Fatalf("%v %v", keep, err)
		}
		want := connector.NewStruct(ValueSchema).Set("time", int32(1564349199)).Set("ifcb_id", "IFCB104").Set("roi", int32(2)).
			Set("name", "Ciliates").Set("classifier", "m:1").Set("prob", float32(0.9)).Set("classification_time", int32(1700000000)).
			Set("biovolume", float32(204624.5)).Set("carbon", float32(1234.25)).Set("hab", false)
		if !connector.ValuesEqual(out.Value, want) {
			t.Errorf("value %+v", out.Value)
		}
		if k := out.Key.(*connector.Struct); k.At(0) != pid || k.At(1) != int32(2) {
			t.Errorf("key %+v of %s", k, key)
		}
	}
}

func TestMistakesNameTheField(t *testing.T) {
	tests := []struct {
		change map[string]any
		key    string
		want   string
	}{
		{map[string]any{"carbon": nil}, "b_00001", "field carbon is missing or null: transform carbon gives it"},
		{map[string]any{"roi": nil}, "b_00001", "field roi is missing or null"},
		{map[string]any{"prob": "0.9"}, "b_00001", "field prob: expected float32, got string"},
		{map[string]any{"datetime": int64(1) << 40}, "b_00001", "does not fit 32 bits"},
		{nil, "b", `key "b" is not a bin`},
	}
	for _, tt := range tests {
		value := classified()
		maps.Copy(value, tt.change)
		_, _, err := new(Transform).Apply(context.Background(), record(tt.key, value))
		if err == nil || !strings.Contains(err.Error(), tt.want) || connector.KindOf(err) != connector.KindData {
			t.Errorf("%v: %v, want %s", tt.change, err, tt.want)
		}
	}
}
