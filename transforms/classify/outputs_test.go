package classify

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// demoDigest is that of the bundled model, as its manifest has it.
const demoDigest = "sha256:47aea7af1aaffaeeeec589097df732c59c9ff8461aaa486b04bbe6defe022c1c"

// variant writes the bundled model under another name, its manifest changed.
func variant(t *testing.T, name string, change ...string) string {
	t.Helper()
	file, err := configs.FS.ReadFile(demo)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := configs.FS.ReadFile(strings.TrimSuffix(demo, ".onnx") + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(append([]string{"name: demo-plankton", "name: " + name}, change...)...).Replace(string(manifest))
	dir := t.TempDir()
	for as, data := range map[string][]byte{name + ".onnx": file, name + ".yaml": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, as), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, name+".onnx")
}

// TestProvenance: every part as a field and as a header.
func TestProvenance(t *testing.T) {
	tr := configured(t, connector.Props{"model": demo, "model.field": "model", "version.field": "version", "digest.field": "digest",
		"preprocessing.field": "preprocessing", "scores.field": "scores", "headers": "all"})
	out, _, err := tr.Apply(t.Context(), structRecord("a", picture(t, 40, 30)))
	if err != nil {
		t.Fatal(err)
	}
	s := out.Value.(*connector.Struct)
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	get := func(field string) any { v, _ := s.Get(field); return v }
	if get("model") != "demo-plankton" || get("version") != "1" || get("digest") != demoDigest {
		t.Errorf("model %v, version %v, digest %v", get("model"), get("version"), get("digest"))
	}
	if p, _ := get("preprocessing").(string); len(p) != len(demoDigest) || p == demoDigest {
		t.Errorf("preprocessing %q", p)
	}
	scores := get("scores").(map[string]any)
	class, _ := get("name").(string)
	if len(scores) != 8 || scores[class] != get("prob") {
		t.Errorf("%s has %v of %v", class, get("prob"), scores)
	}
	want := map[string]any{"name": class, "prob": get("prob"), "classifier": "demo-plankton:1", "time": get("classification_time"),
		"model": "demo-plankton", "version": "1", "digest": demoDigest, "preprocessing": get("preprocessing")}
	got := map[string]any{}
	for _, h := range out.Headers {
		got[strings.TrimPrefix(h.Key, "classification.")] = h.Value
	}
	var inHeader map[string]float32
	text, _ := got["scores"].(string)
	if err := json.Unmarshal([]byte(text), &inHeader); err != nil || inHeader[class] != get("prob") || len(inHeader) != 8 {
		t.Errorf("scores in the header: %v, %v", got["scores"], err)
	}
	delete(got, "scores")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	again, _, err := tr.Apply(t.Context(), out)
	if err != nil || len(again.Headers) != len(out.Headers) {
		t.Errorf("classified again: %d headers, %v", len(again.Headers), err)
	}
}

// TestPreparationDigest: it is the same for two models that prepare images
// alike, and another for those that do not.
func TestPreparationDigest(t *testing.T) {
	digest := func(file string) any {
		tr := configured(t, connector.Props{"model": file, "preprocessing.field": "p"})
		out, _, err := tr.Apply(t.Context(), mapRecord(picture(t, 9, 9)))
		if err != nil {
			t.Fatal(err)
		}
		return out.Value.(map[string]any)["p"]
	}
	first := digest(demo)
	if other := digest(variant(t, "same", "  filter: nearest\n", "", "  order: RGB\n", "")); other != first {
		t.Errorf("with defaults left out it is %v, else %v", other, first)
	}
	if other := digest(variant(t, "bgr", "order: RGB", "order: BGR")); other == first {
		t.Error("another order of channels has the same digest")
	}
}

func TestThresholds(t *testing.T) {
	img := picture(t, 40, 30)
	plain := configured(t, connector.Props{"model": demo})
	class := func(props connector.Props) (any, error) {
		t.Helper()
		props["model"] = demo
		out, _, err := configured(t, props).Apply(t.Context(), mapRecord(img))
		if err != nil {
			return nil, err
		}
		return out.Value.(map[string]any)["name"], nil
	}
	out, _, err := plain.Apply(t.Context(), mapRecord(img))
	if err != nil {
		t.Fatal(err)
	}
	best, _ := out.Value.(map[string]any)["name"].(string)
	other := "demo-rod"
	if best == other {
		other = "demo-nano"
	}
	for _, c := range []struct {
		name  string
		props connector.Props
		want  string
	}{
		{"none", connector.Props{}, best},
		{"of all", connector.Props{"threshold": "1"}, "unclassified"},
		{"of its class", connector.Props{"thresholds": best + "=1", "unclassified": "?"}, "?"},
		{"of another class", connector.Props{"thresholds": other + " = 1"}, best},
		{"its own goes over that of all", connector.Props{"threshold": "1", "thresholds": best + "=0.01"}, best},
	} {
		if got, err := class(c.props); err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %s", c.name, got, err, c.want)
		}
	}
	if _, err := class(connector.Props{"thresholds": "Dinophysis=0.5"}); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "thresholds: model demo-plankton:1 has no class Dinophysis") {
		t.Errorf("an unknown class: %v", err)
	}
}

// TestEnsemble: the mean of the models' scores, whatever the order of their
// classes.
func TestEnsemble(t *testing.T) {
	img := picture(t, 40, 30)
	turned := variant(t, "turned", "- demo-chain\n- demo-ellipsoid\n", "- demo-ellipsoid\n- demo-chain\n", "version: '1'", "version: '2'")
	scores := func(props connector.Props) (map[string]any, map[string]any) {
		props["scores.field"], props["digest.field"] = "scores", "digest"
		out, _, err := configured(t, props).Apply(t.Context(), mapRecord(img))
		if err != nil {
			t.Fatal(err)
		}
		m := out.Value.(map[string]any)
		return m["scores"].(map[string]any), m
	}
	a, _ := scores(connector.Props{"model": demo})
	b, _ := scores(connector.Props{"model": turned})
	both, m := scores(connector.Props{"model": demo, "ensemble": turned})
	for class, p := range both {
		want := (float64(a[class].(float32)) + float64(b[class].(float32))) / 2
		if got := float64(p.(float32)); got < want-1e-6 || got > want+1e-6 {
			t.Errorf("%s is %g, want %g", class, got, want)
		}
	}
	if m["classifier"] != "demo-plankton:1+turned:2" || m["digest"] != demoDigest { // the files are the same
		t.Errorf("%v", m)
	}
	if _, m := scores(connector.Props{"model": demo, "ensemble": turned, "model.name": "both", "model.version": "7"}); m["classifier"] != "both:7" {
		t.Errorf("classifier %v", m["classifier"])
	}
	tr := new(Transform)
	other := variant(t, "other", "- demo-spiny", "- Dinophysis")
	err := tr.Configure(connectortest.Context(t), connectortest.Configure(t, tr, connector.Props{"model": demo, "ensemble": other}))
	want := "has other classes than demo/demo-plankton.onnx: without demo-spiny; with Dinophysis; train both on the same classes, or give each a manifest"
	if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), want) {
		t.Errorf("other labels: %v", err)
	}
}

func TestEnsembleFailsAsItsMembersDo(t *testing.T) {
	tr := configured(t, connector.Props{"model": demo, "ensemble": demo})
	for i, r := range tr.ApplyBatch(t.Context(), []connector.Record{mapRecord(picture(t, 5, 5)), mapRecord([]byte("no image"))}) {
		if want := []connector.Kind{connector.KindUnmarked, connector.KindData}[i]; connector.KindOf(r.Err) != want {
			t.Errorf("record %d: %v", i, r.Err)
		}
	}
}

// TestRate: each image takes its time from when the next one may come.
func TestRate(t *testing.T) {
	tr := configured(t, connector.Props{"model": demo, "max.rate": "100"})
	began := time.Now()
	for range 3 {
		if r := tr.ApplyBatch(t.Context(), []connector.Record{mapRecord(picture(t, 5, 5)), mapRecord(picture(t, 5, 5))}); r[0].Err != nil {
			t.Fatal(r[0].Err)
		}
	}
	if took := tr.free.Sub(began); took < 60*time.Millisecond {
		t.Errorf("the next image may come %v after the first of 6, at 100 a second", took)
	}
	tr.free = time.Now().Add(time.Hour)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- tr.ApplyBatch(ctx, []connector.Record{mapRecord(picture(t, 5, 5))})[0].Err }()
	cancel()
	if err := <-ended; connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("interrupted: %v", err)
	}
}

func TestPartsAreChecked(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"headers", "name,color", `"color" is none of all, name, prob`},
		{"threshold", "1.5", "it must be from 0 to 1"},
		{"thresholds", "a", "is not a class and its threshold"},
		{"thresholds", "a=2", "not a number from 0 to 1"},
		{"thresholds", "a=0.2,a=0.3", "class a is there twice"},
		{"canary.labels", "some", "canary.labels"},
		{"max.rate", "-1", "not negative"},
		{"model.field", "prob", "it is the field of prob.field too"},
	} {
		if _, err := connector.ParsePlugin(new(Transform), connector.Props{"model": demo, c.key: c.value}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: got %v, want %s", c.key, c.value, err, c.want)
		}
	}
}

// TestEmbeddingField: the embedding is a list of floats, and no header.
func TestEmbeddingField(t *testing.T) {
	file := variant(t, "embeds", "output: probabilities", "output: {embedding: 'functional_1/global_average_pooling2d_1/Mean_Squeeze__109:0'}")
	tr := configured(t, connector.Props{"model": file, "embedding.field": "embedding", "headers": "all"})
	out, _, err := tr.Apply(t.Context(), structRecord("a", picture(t, 40, 30)))
	if err != nil {
		t.Fatal(err)
	}
	s := out.Value.(*connector.Struct)
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	v, _ := s.Get("embedding")
	if list, _ := v.([]any); len(list) < 8 {
		t.Errorf("got %v", v)
	}
	if h, ok := out.Headers.Last("classification.embedding"); ok {
		t.Errorf("headers have it too: %v", h)
	}
}
