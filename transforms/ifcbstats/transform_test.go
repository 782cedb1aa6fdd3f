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
		out, keep, err := configured(t, connector.Props{}).Apply(context.Background(), record(key, classified()))
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
		_, _, err := configured(t, connector.Props{}).Apply(context.Background(), record(tt.key, value))
		if err == nil || !strings.Contains(err.Error(), tt.want) || connector.KindOf(err) != connector.KindData {
			t.Errorf("%v: %v, want %s", tt.change, err, tt.want)
		}
	}
}

func configured(t *testing.T, props connector.Props) *Transform {
	t.Helper()
	tr := new(Transform)
	if err := tr.Configure(connector.Context{}, connectortest.Configure(t, tr, props)); err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestFurtherFields: they follow the ten, with the record's own schemas or what
// their values tell.
func TestFurtherFields(t *testing.T) {
	props := connector.Props{"fields": "model_digest,scores", "key.fields": "pid,roi,classifier"}
	connectortest.Transform(t, connectortest.TransformCase{New: func() connector.Transform { return new(Transform) }, Props: props,
		Records: []connector.Record{record("b_00001", classified())}})
	value := classified()
	value["model_digest"], value["scores"] = "sha256:00", map[string]any{"Ciliates": float32(0.9)}
	tr := configured(t, props)
	out, _, err := tr.Apply(t.Context(), record("b_00001", value))
	if err != nil {
		t.Fatal(err)
	}
	s := out.Value.(*connector.Struct)
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if n := len(s.Schema().Fields()); n != 12 {
		t.Errorf("%d fields", n)
	}
	if v, _ := s.Get("scores"); !connector.ValuesEqual(v, value["scores"]) {
		t.Errorf("scores %v", v)
	}
	k := out.Key.(*connector.Struct)
	if err := k.Validate(); err != nil || k.At(0) != "b" || k.At(1) != int32(2) || k.At(2) != "m:1" {
		t.Errorf("key %v, %v", k, err)
	}
	again, _, err := tr.Apply(t.Context(), record("b_00002", value))
	if err != nil || again.ValueSchema != out.ValueSchema {
		t.Errorf("the next record has a schema of its own, %v", err)
	}
	delete(value, "model_digest")
	if _, _, err := tr.Apply(t.Context(), record("b_00001", value)); connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "field model_digest is missing or null") {
		t.Errorf("without it: %v", err)
	}
}

// TestRowsLeadToImages: the bin's name, also where only the key has it, and the image's address follow the ten.
func TestRowsLeadToImages(t *testing.T) {
	value := classified()
	value["url"] = "http://x/data/D20190728T212639_IFCB104_00002.png"
	out, _, err := configured(t, connector.Props{"fields": "pid,url"}).Apply(t.Context(), record("D20190728T212639_IFCB104_00002", value))
	if err != nil {
		t.Fatal(err)
	}
	s := out.Value.(*connector.Struct)
	if pid, _ := s.Get("pid"); pid != "D20190728T212639_IFCB104" {
		t.Errorf("pid %v", pid)
	}
	if url, _ := s.Get("url"); url != value["url"] {
		t.Errorf("url %v", url)
	}
}

func TestConfiguration(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"fields", "name", `"name" is empty, one of the ten or there twice`},
		{"fields", "a,a", `"a" is empty, one of the ten or there twice`},
		{"key.fields", "pid,image", `"image" is neither pid nor one of the ten fields`},
		{"key.fields", "", "it names no field"},
	} {
		if _, err := connector.ParsePlugin(new(Transform), connector.Props{c.key: c.value}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: got %v, want %s", c.key, c.value, err, c.want)
		}
	}
}
