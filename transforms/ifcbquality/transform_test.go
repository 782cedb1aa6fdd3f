package ifcbquality

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"maps"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

var (
	number = connector.OptionalFloat64Schema
	text   = connector.OptionalStringSchema
	schema = connector.StructOf("bin", connector.F("ml_analyzed", number), connector.F("run_time", number), connector.F("humidity", number),
		connector.F("temperature", number), connector.F("clock_offset", number), connector.F("run_flags", text), connector.F("status", text),
		connector.F("expected", connector.OptionalInt32Schema), connector.F("failed", connector.OptionalInt32Schema), connector.F("image", connector.OptionalBytesSchema))
	good = map[string]any{"ml_analyzed": 4.9, "run_time": 1200., "humidity": 40., "temperature": 20., "clock_offset": -2., "run_flags": nil,
		"status": "complete", "expected": int32(100), "failed": int32(0), "image": nil}
)

// bin makes a record, with a schema and without.
func bin(change map[string]any) []connector.Record {
	values := maps.Clone(good)
	maps.Copy(values, change)
	s := connector.NewStruct(schema)
	for name, v := range values {
		s.Set(name, v)
	}
	return []connector.Record{connector.NewRecord("t", nil, nil, schema, s), connector.NewRecord("t", nil, nil, nil, values)}
}

// picture is a PNG of grey values.
func picture(t *testing.T, of func(x, y int) uint8) []byte {
	t.Helper()
	g := image.NewGray(image.Rect(0, 0, 32, 24))
	for i := range g.Pix {
		g.Pix[i] = of(i%32, i/32)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, g); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func configured(t *testing.T, props connector.Props) *Transform {
	t.Helper()
	tr := new(Transform)
	if err := tr.Configure(connectortest.Context(t), connectortest.Configure(t, tr, props)); err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTransform(t *testing.T) {
	connectortest.Transform(t, connectortest.TransformCase{
		New:     func() connector.Transform { return new(Transform) },
		Records: append(bin(nil), bin(map[string]any{"humidity": 99.})...),
	})
}

func TestVerdicts(t *testing.T) {
	edge := picture(t, func(x, _ int) uint8 { return uint8(255 * (x / 16)) })
	ramp := picture(t, func(x, _ int) uint8 { return uint8(4 * x) })
	plain := picture(t, func(int, int) uint8 { return 200 })
	looks := connector.Props{"contrast.min": "2", "focus.min": "100"}
	tests := []struct {
		name    string
		change  map[string]any
		props   connector.Props
		quality any
		reasons string
	}{
		{"good", nil, nil, pass, ""},
		{"volume unknown", map[string]any{"ml_analyzed": nil}, nil, fail, "the volume is unknown"},
		{"little volume", map[string]any{"ml_analyzed": 0.05}, nil, fail, "the volume of 0.05 ml is not from 0.5 to 5.1"},
		{"little volume, as allowed", map[string]any{"ml_analyzed": 0.05}, connector.Props{"volume.min.ml": "0.01"}, pass, ""},
		{"short run", map[string]any{"run_time": 12.}, nil, fail, "the run time of 12 s is not from 60 to 3600"},
		{"run time unknown", map[string]any{"run_time": nil}, nil, pass, ""},
		{"beads", map[string]any{"run_flags": "beads,fast"}, nil, fail, "it is no sample of the water: beads,fast"},
		{"beads, as allowed", map[string]any{"run_flags": "beads"}, connector.Props{"other.runs": "true"}, pass, ""},
		{"fast", map[string]any{"run_flags": "fast"}, nil, pass, ""},
		{"wet and hot", map[string]any{"humidity": 93.5, "temperature": 60.}, nil, fail,
			"the humidity of 93.5 % is not from 0 to 80; the temperature of 60 °C is not from -2 to 50"},
		{"clock", map[string]any{"clock_offset": -3600.}, nil, fail, "the clock's offset of -3600 s is not from -300 to 300"},
		{"missing images", map[string]any{"failed": int32(6), "status": "partial"}, nil, fail, "6 of 100 images could not be had"},
		{"a few missing images", map[string]any{"failed": int32(5), "status": "partial"}, nil, pass, ""},
		{"failed", map[string]any{"status": "failed", "expected": nil}, nil, fail, "none of its images could be had"},
		{"skipped", map[string]any{"status": "skipped", "expected": nil, "ml_analyzed": nil}, nil, nil, ""},
		{"sharp image", map[string]any{"image": edge}, looks, pass, ""},
		{"image out of focus", map[string]any{"image": ramp}, looks, fail, "the image is out of focus: its sharpness of 0 is below 100"},
		{"empty image", map[string]any{"image": plain}, connector.Props{"contrast.min": "2"}, fail, "the image is empty: its contrast of 0 is below 2"},
		{"no image", map[string]any{"image": []byte("x")}, looks, fail, "the image cannot be read"},
		{"empty image, not asked for", map[string]any{"image": plain}, nil, pass, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := configured(t, tt.props)
			for _, r := range bin(tt.change) {
				out, keep, err := tr.Apply(t.Context(), r)
				if err != nil || !keep {
					t.Fatalf("%v, %v", keep, err)
				}
				got := func(name string) any {
					if s, ok := out.Value.(*connector.Struct); ok {
						v, _ := s.Get(name)
						return v
					}
					return out.Value.(map[string]any)[name]
				}
				why, _ := got("quality_reasons").(string)
				if got("quality") != tt.quality || !strings.HasPrefix(why, tt.reasons) || (why == "") != (tt.reasons == "") {
					t.Errorf("%v: %q, want %v: %q", got("quality"), why, tt.quality, tt.reasons)
				}
			}
		})
	}
}

// An image's record in the original's form has the image as base64 and no facts; one that fails can be left out.
func TestOtherForms(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString(picture(t, func(int, int) uint8 { return 200 }))
	r := connector.NewRecord("t", nil, nil, nil, map[string]any{"ifcb_id": "IFCB104", "roi": int64(2), "image": plain})
	out, keep, err := configured(t, nil).Apply(t.Context(), r)
	if err != nil || !keep || out.Value.(map[string]any)["quality"] != pass {
		t.Errorf("%v, %v, %v", out.Value, keep, err)
	}
	if _, keep, err := configured(t, connector.Props{"contrast.min": "2", "on.fail": "drop"}).Apply(t.Context(), r); keep || err != nil {
		t.Errorf("an empty image is kept, %v", err)
	}
	_, _, err = configured(t, nil).Apply(t.Context(), connector.NewRecord("t", nil, nil, nil, map[string]any{"humidity": "wet"}))
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "field humidity: expected a number, got string") {
		t.Errorf("a text: %v", err)
	}
	if _, err := connector.ParsePlugin(new(Transform), connector.Props{"humidity.min": "90"}); err == nil || !strings.Contains(err.Error(), "it is below humidity.min") {
		t.Errorf("an empty range: %v", err)
	}
}
