package biovolume

import (
	"bytes"
	"context"
	"encoding/base64"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

var schema = connector.StructOf("ifcb.image", connector.F("pid", connector.StringSchema), connector.F("image", connector.OptionalBytesSchema))

// picture reads one of the golden images.
func picture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := golden.Files.ReadFile(path.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func record(image any) connector.Record {
	return connector.NewRecord("t", nil, nil, schema, connector.NewStruct(schema).Set("pid", "b").Set("image", image))
}

// original is a record in the form of the original's JSON.
func original(image any) connector.Record {
	return connector.NewRecord("t", nil, nil, nil, map[string]any{"ifcb_id": "IFCB104", "image": image})
}

func configured(t *testing.T, props connector.Props) *Transform {
	t.Helper()
	tr := new(Transform)
	if err := tr.Configure(connectortest.Context(t), connectortest.Configure(t, tr, props)); err != nil {
		t.Fatal(err)
	}
	return tr
}

func apply(t *testing.T, props connector.Props, r connector.Record) connector.Record {
	t.Helper()
	out, keep, err := configured(t, props).Apply(context.Background(), r)
	if err != nil || !keep {
		t.Fatalf("kept %v: %v", keep, err)
	}
	return out
}

func TestTransform(t *testing.T) {
	cell, empty, line := picture(t, "02-flagellate.png"), picture(t, "14-empty.png"), picture(t, "16-line.png")
	records := []connector.Record{record(cell), record(empty), record(line), record([]byte("no picture")), record(nil), record(cell[:100]),
		original(base64.StdEncoding.EncodeToString(cell)), original(base64.StdEncoding.EncodeToString(empty)), original("%"), original(7), original(nil)}
	for name, props := range map[string]connector.Props{
		"default": {}, "outline": {"outline": "true"}, "null": {"on.no.blob": "null", "outline": "true", "mask": "true"}, "other field": {"image.field": "picture"},
		"v4": {"algorithm": "v4"}, "v4 null": {"algorithm": "v4", "on.no.blob": "null", "outline": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			connectortest.Transform(t, connectortest.TransformCase{
				New: func() connector.Transform { return new(Transform) }, Props: props, Records: records,
			})
		})
	}
}

// TestGolden holds the fields to the rows of the reference implementation.
func TestGolden(t *testing.T) {
	files, err := fs.Sub(golden.Files, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goldenTables {
		t.Run(g.algorithm, func(t *testing.T) { checkGolden(t, files, g.algorithm, g.own, g.columns) })
	}
}

// TestGoldenRealImages holds the fields to the golden rows of real images.
func TestGoldenRealImages(t *testing.T) {
	folder := os.Getenv(golden.DataVariable)
	if folder == "" {
		t.Skip(golden.DataVariable + " is not set: it is the folder of the IFCB reference data (golden tables, images)")
	}
	for _, g := range goldenTables {
		t.Run(g.algorithm, func(t *testing.T) { checkGolden(t, os.DirFS(folder), g.algorithm, g.real, g.columns) })
	}
}

// goldenTables has, for each algorithm, the reference's columns of the fields: in the table of the images of this
// repository and in that of the real ones.
var goldenTables = []struct {
	algorithm, own, real string
	columns              map[string]string
}{
	{"seed", "golden.csv", "golden.csv", map[string]string{
		"blob_area": "blob_area", "equivalent_diameter": "equivalent_diameter", "major_axis_length": "major_axis_length",
		"eccentricity": "eccentricity", "perimeter": "perimeter", "convex_area": "convex_area", "area_ratio": "area_ratio",
		"method": "method", "biovolume_px": "biovolume_px", "biovolume": "biovolume_um3",
	}},
	{"v4", "golden-v4.csv", "golden-ifcb-features.csv", map[string]string{
		"blob_area": "Area", "equivalent_diameter": "EquivDiameter", "major_axis_length": "MajorAxisLength",
		"minor_axis_length": "MinorAxisLength", "blobs": "numBlobs", "area_ratio": "area_ratio", "method": "method",
		"biovolume_px": "Biovolume",
	}},
}

func checkGolden(t *testing.T, files fs.FS, algorithm, table string, columns map[string]string) {
	rows, err := golden.Read(files, table)
	if err != nil {
		t.Fatal(err)
	}
	tr := configured(t, connector.Props{"on.no.blob": "null", "algorithm": algorithm})
	const most = 60 // of the real ones; the analysis itself is held to all of them
	for _, row := range rows[:min(len(rows), most)] {
		data, err := fs.ReadFile(files, row["path"])
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := tr.Apply(context.Background(), record(data))
		if err != nil {
			t.Errorf("%s: %v", row["id"], err)
			continue
		}
		s := out.Value.(*connector.Struct)
		for field, column := range columns {
			want := row[column]
			if row["status"] != "ok" {
				want = "" // nothing is given of a particle that is only half measured
			}
			if v, _ := s.Get(field); !agrees(v, want) {
				t.Errorf("%s: field %s is %v, want %s", row["id"], field, v, want)
			}
		}
		if v, _ := s.Get("biovolume_status"); v != row["status"] {
			t.Errorf("%s: status %v, want %s", row["id"], v, row["status"])
		}
	}
}

func agrees(got any, want string) bool {
	switch v := got.(type) {
	case nil:
		return want == ""
	case string:
		return v == want
	case int32:
		return strconv.Itoa(int(v)) == want
	case float64:
		w, err := strconv.ParseFloat(want, 64)
		return err == nil && math.Abs(v-w) <= 1e-9*math.Abs(w)
	}
	return false
}

func TestKeepsWhatIsThere(t *testing.T) {
	image := picture(t, "02-flagellate.png")
	out := apply(t, nil, record(image)).Value.(*connector.Struct)
	if pid, _ := out.Get("pid"); pid != "b" || out.Schema().Name() != "ifcb.image" {
		t.Errorf("pid %v of a %s", pid, out.Schema().Name())
	}
	if v, _ := out.Get("image"); !bytes.Equal(v.([]byte), image) {
		t.Error("the image is another one")
	}
	if _, ok := out.Get("outline"); ok {
		t.Error("an outline nobody asked for")
	}
	m := apply(t, nil, original(base64.StdEncoding.EncodeToString(image))).Value.(map[string]any)
	volume, _ := out.Get("biovolume")
	if m["ifcb_id"] != "IFCB104" || m["biovolume"] != volume || m["algorithm"] != "seed" {
		t.Errorf("map %v", m)
	}
}

func TestOutline(t *testing.T) {
	for name, props := range map[string]connector.Props{"always": {"outline": "true"}, "nullable": {"outline": "true", "on.no.blob": "null"}} {
		t.Run(name, func(t *testing.T) {
			out := apply(t, props, record(picture(t, "02-flagellate.png"))).Value.(*connector.Struct)
			v, _ := out.Get("outline")
			config, err := png.DecodeConfig(bytes.NewReader(v.([]byte)))
			if err != nil || config.Width != 88 || config.Height != 42 {
				t.Errorf("%d x %d, %v", config.Width, config.Height, err)
			}
		})
	}
}

// TestMask compares the picture of the mask with the count of its pixels, and has an empty one where nothing was found.
func TestMask(t *testing.T) {
	for _, algorithm := range []string{"seed", "v4"} {
		for file, found := range map[string]bool{"01-disc.png": true, "14-empty.png": false} {
			props := connector.Props{"mask": "true", "on.no.blob": "null", "algorithm": algorithm}
			out := apply(t, props, record(picture(t, file))).Value.(*connector.Struct)
			v, _ := out.Get("mask")
			mask, err := imaging.DecodePNG(v.([]byte))
			if err != nil {
				t.Fatal(err)
			}
			set := int32(0)
			for _, p := range mask.Pix {
				if p != 0 && p != 255 {
					t.Fatalf("%s: a pixel of %d", file, p)
				}
				set += int32(p / 255)
			}
			area, _ := out.Get("blob_area")
			if found && area != set || !found && (area != nil || set != 0) {
				t.Errorf("%s %s: %d pixels, area %v", algorithm, file, set, area)
			}
		}
	}
}

func TestSaysByWhatItMeasured(t *testing.T) {
	for algorithm, version := range map[string]string{"seed": "1.0", "v4": "1.3"} {
		out := apply(t, connector.Props{"algorithm": algorithm}, record(picture(t, "02-flagellate.png"))).Value.(*connector.Struct)
		name, _ := out.Get("algorithm")
		v, _ := out.Get("algorithm_version")
		minor, _ := out.Get("minor_axis_length")
		major, _ := out.Get("major_axis_length")
		if name != algorithm || v != version || !(minor.(float64) > 0 && minor.(float64) < major.(float64)) {
			t.Errorf("%v %v, axes %v and %v", name, v, major, minor)
		}
	}
}

func TestResolution(t *testing.T) {
	out := apply(t, connector.Props{"pixels.per.micron": "2"}, record(picture(t, "02-flagellate.png"))).Value.(*connector.Struct)
	px, _ := out.Get("biovolume_px")
	if um, _ := out.Get("biovolume"); um != px.(float64)/8 {
		t.Errorf("%v um^3 of %v px^3", um, px)
	}
}

// TestV4 has the fields that v4 alone has, those it lacks and its own least size.
func TestV4(t *testing.T) {
	props := connector.Props{"algorithm": "v4", "pixels.per.micron": "2"}
	m := apply(t, props, original(base64.StdEncoding.EncodeToString(picture(t, "06-bent-chain.png")))).Value.(map[string]any)
	if m["algorithm"] != "v4" || m["blobs"] != int32(5) || m["biovolume"] != m["biovolume_px"].(float64)/8 {
		t.Errorf("map %v", m)
	}
	for _, other := range []string{"perimeter", "convex_area"} {
		if _, ok := m[other]; ok {
			t.Errorf("%s is of another meaning in v4", other)
		}
	}
	_, _, err := configured(t, props).Apply(context.Background(), record(picture(t, "14-empty.png")))
	if want := "field image: no_blob: no particle of at least 41 pixels was found; on.no.blob=null"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestMistakesNameTheField(t *testing.T) {
	tests := []struct {
		name   string
		record connector.Record
		want   string
	}{
		{"no particle", record(picture(t, "14-empty.png")), "field image: no_blob: no particle of at least 150 pixels was found; on.no.blob=null"},
		{"a line", record(picture(t, "16-line.png")), "field image: hull_error: "},
		{"no picture", record([]byte("<html>")), "field image: not a readable PNG: "},
		{"null", record(nil), "field image: missing or null, expected an image"},
		{"not base64", original("%%"), "field image: image in base64: "},
		{"a number", original(7.0), "field image: expected an image as bytes or base64, got float64"},
		{"no struct", connector.NewRecord("t", nil, nil, nil, "text"), "value is a string, expected a struct or map"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, keep, err := configured(t, nil).Apply(context.Background(), tt.record)
			if err == nil || keep || !strings.HasPrefix(err.Error(), tt.want) || connector.KindOf(err) != connector.KindData {
				t.Errorf("kept %v, error %v of kind %v, want %s", keep, err, connector.KindOf(err), tt.want)
			}
		})
	}
}

func TestBatchStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, r := range configured(t, nil).ApplyBatch(ctx, []connector.Record{record(picture(t, "02-flagellate.png"))}) {
		if r.Err == nil || connector.KindOf(r.Err) != connector.KindUnmarked {
			t.Errorf("error %v: a record that was not looked at is no bad record", r.Err)
		}
	}
}

func TestConfigurationMistakes(t *testing.T) {
	for key, value := range map[string]string{
		"algorithm": "v9", "pixels.per.micron": "0", "outline": "maybe", "mask": "perhaps", "on.no.blob": "drop", "image.field": "",
	} {
		if _, err := connector.ParsePlugin(new(Transform), connector.Props{key: value}); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %q: %v", key, value, err)
		}
	}
}
