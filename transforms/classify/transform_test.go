package classify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/infer/onnx"
)

const demo = "demo/demo-plankton.onnx"

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := 200
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < w*h/16 {
				v = 60
			}
			img.SetGray(x, y, color.Gray{Y: uint8(v)})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var imageSchema = connector.StructOf("image",
	connector.F("pid", connector.StringSchema), connector.F("image", connector.OptionalBytesSchema), connector.F("prob", connector.OptionalFloat64Schema))

func structRecord(pid string, img []byte) connector.Record {
	s := connector.NewStruct(imageSchema).Set("pid", pid)
	if img != nil {
		s.Set("image", img)
	}
	return connector.NewRecord("ifcb-images", connector.StringSchema, pid, imageSchema, s)
}

func mapRecord(img any) connector.Record {
	return connector.NewRecord("ifcb-images", nil, nil, nil, map[string]any{"roi": int64(2), "image": img})
}

// atNoon makes transforms whose clock stands still.
func atNoon() connector.Transform {
	return &Transform{now: func() time.Time { return time.Unix(1_700_000_000, 0) }}
}

func configured(t *testing.T, props connector.Props) *Transform {
	t.Helper()
	tr := atNoon().(*Transform)
	if err := tr.Configure(connectortest.Context(t), connectortest.Configure(t, tr, props)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

func TestPromises(t *testing.T) {
	img := picture(t, 40, 30)
	text := base64.StdEncoding.EncodeToString(img)
	connectortest.Transform(t, connectortest.TransformCase{New: atNoon, Props: connector.Props{"model": demo}, Records: []connector.Record{
		structRecord("a", img), structRecord("b", nil), structRecord("c", []byte("bad")), mapRecord(img), mapRecord(text),
		mapRecord("!"), mapRecord(nil), mapRecord(3.5), mapRecord([]byte(nil)), structRecord("d", img[:50]),
	}})
}

func TestFields(t *testing.T) {
	img := picture(t, 40, 30)
	tr := configured(t, connector.Props{"model": demo, "name.field": "class"})
	results := tr.ApplyBatch(t.Context(), []connector.Record{structRecord("a", img), mapRecord(base64.StdEncoding.EncodeToString(img)), structRecord("b", img)})
	for i, r := range results {
		if r.Err != nil || !r.Keep {
			t.Fatalf("record %d: %v", i, r.Err)
		}
	}
	s := results[0].Record.Value.(*connector.Struct)
	var names []string
	for _, f := range s.Schema().Fields() {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "pid image prob class classifier classification_time" {
		t.Errorf("fields are %s", got)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	m := results[1].Record.Value.(map[string]any)
	for _, f := range []string{"class", "prob", "classifier", "classification_time"} {
		v, _ := s.Get(f)
		if v == nil || v != m[f] {
			t.Errorf("%s is %v in a struct and %v in a map", f, v, m[f])
		}
	}
	if m["classifier"] != "demo-plankton:1" || m["classification_time"] != int64(1_700_000_000) || m["roi"] != int64(2) {
		t.Errorf("got %v", m)
	}
	if results[0].Record.ValueSchema != results[2].Record.ValueSchema {
		t.Error("records of one schema get two")
	}
}

func TestFieldsCanBeLeftOut(t *testing.T) {
	tr := configured(t, connector.Props{"model": demo, "time.field": "", "classifier.field": ""})
	out, _, err := tr.Apply(t.Context(), mapRecord(picture(t, 9, 9)))
	if err != nil {
		t.Fatal(err)
	}
	if m := out.Value.(map[string]any); len(m) != 4 {
		t.Errorf("got %v", m)
	}
}

func TestConfiguration(t *testing.T) {
	for _, c := range []struct {
		name  string
		props connector.Props
		want  string
	}{
		{"no model", connector.Props{}, `Missing required configuration "model"`},
		{"field twice", connector.Props{"model": demo, "name.field": "prob"}, "Invalid value prob for configuration prob.field: it is the field of name.field too"},
		{"batch", connector.Props{"model": demo, "batch.size": "0"}, "batch.size"},
	} {
		if _, err := connector.ParsePlugin(new(Transform), c.props); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	tr := new(Transform)
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	err := tr.Configure(connectortest.Context(t), connectortest.Configure(t, tr, connector.Props{"model": "nowhere.onnx"}))
	if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "nowhere.onnx") {
		t.Errorf("got %v", err)
	}
}

// TestServerAway: a server that is not there yet is the environment's fault for
// each record, and the same batch goes through when it is.
func TestServerAway(t *testing.T) {
	var up atomic.Bool
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !up.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.HasSuffix(r.URL.Path, ":predict"):
			fmt.Fprint(w, `{"predictions":[[1`+strings.Repeat(",0", 49)+`],[0,1`+strings.Repeat(",0", 48)+`]]}`)
		case strings.HasSuffix(r.URL.Path, "/metadata"):
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(w, `{"model_version_status":[{"version":"12","state":"AVAILABLE"}]}`)
		}
	}))
	t.Cleanup(h.Close)
	tr := configured(t, connector.Props{"model": h.URL + "/v1/models/ifcb-densenet"})
	img := picture(t, 20, 20)
	batch := []connector.Record{mapRecord(img), mapRecord("?"), mapRecord(img)}
	for i, r := range tr.ApplyBatch(t.Context(), batch) {
		want := connector.KindRetriable
		if i == 1 {
			want = connector.KindData
		}
		if connector.KindOf(r.Err) != want {
			t.Errorf("record %d: %v", i, r.Err)
		}
	}
	up.Store(true)
	results := tr.ApplyBatch(t.Context(), batch)
	for i, class := range map[int]string{0: "Akashiwo", 2: "Alexandrium_singlet"} {
		if results[i].Err != nil {
			t.Fatal(results[i].Err)
		}
		if m := results[i].Record.Value.(map[string]any); m["name"] != class || m["classifier"] != "ifcb-densenet:12" {
			t.Errorf("record %d: %v", i, m)
		}
	}
}

// TestServedModelAgrees: the same model behind TensorFlow Serving's protocol
// gives the class of each image that it gives in this process, and the
// probability.
func TestServedModelAgrees(t *testing.T) {
	file, err := configs.FS.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	net, err := onnx.Load(file, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Instances [][][][]float32 }
		switch {
		case strings.HasSuffix(r.URL.Path, "/metadata"):
			w.WriteHeader(http.StatusNotFound)
			return
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `{"model_version_status":[{"version":"1","state":"AVAILABLE"}]}`)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		var rows [][]float32
		for _, img := range body.Instances {
			var pixels []float32
			for _, row := range img {
				pixels = append(pixels, slices.Concat(row...)...)
			}
			scores := make([]float32, net.OutputSize())
			if err := net.NewSession().Run(pixels, scores); err != nil {
				t.Error(err)
			}
			rows = append(rows, scores)
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"predictions": rows}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(h.Close)
	manifest, err := configs.FS.ReadFile(strings.TrimSuffix(demo, ".onnx") + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(beside, manifest, 0o644); err != nil {
		t.Fatal(err)
	}
	here := configured(t, connector.Props{"model": demo})
	there := configured(t, connector.Props{"model": h.URL + "/v1/models/plankton", "manifest": beside, "batch.size": 3})
	var batch []connector.Record
	for i := range 10 {
		batch = append(batch, structRecord(fmt.Sprint(i), picture(t, 20+9*i, 80-7*i)))
	}
	a, b := here.ApplyBatch(t.Context(), batch), there.ApplyBatch(t.Context(), batch)
	for i := range batch {
		if a[i].Err != nil || b[i].Err != nil {
			t.Fatalf("image %d: %v, %v", i, a[i].Err, b[i].Err)
		}
		if !a[i].Record.Value.(*connector.Struct).Equal(b[i].Record.Value.(*connector.Struct)) {
			t.Errorf("image %d: %v here, %v there", i, a[i].Record.Value, b[i].Record.Value)
		}
	}
}
