package model

import (
	"bytes"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
)

var nan = float32(math.NaN())

// demo gives the bundled model and its manifest.
func demo(t *testing.T) (file, manifest []byte) {
	t.Helper()
	file, err := configs.FS.ReadFile("demo/demo-plankton.onnx")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err = configs.FS.ReadFile("demo/demo-plankton.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return file, manifest
}

// folder writes files into a new folder.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, opts Options) Classifier {
	t.Helper()
	c, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func testImage(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/images", name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLocalBatch(t *testing.T) {
	c := open(t, Options{Model: "demo/demo-plankton.onnx"}) // embedded
	gray, rgb := testImage(t, "gray"), testImage(t, "rgb")
	results := c.Classify(t.Context(), [][]byte{gray, []byte("no image"), rgb, gray, nil})
	for i, r := range results {
		if bad := i == 1 || i == 4; bad != (r.Err != nil) {
			t.Fatalf("image %d: %v", i, r.Err)
		} else if bad {
			if connector.KindOf(r.Err) != connector.KindData {
				t.Errorf("image %d: %v is not the record's fault", i, r.Err)
			}
			continue
		}
		if r.Model != "demo-plankton:1" || !strings.HasPrefix(r.Class, "demo-") || r.Prob <= 0 || r.Prob > 1 {
			t.Errorf("image %d: %+v", i, r)
		}
	}
	if diff := cmp.Diff(results[0], results[3], cmpopts.IgnoreUnexported(Manifest{})); diff != "" {
		t.Errorf("the same image gives (-first +second):\n%s", diff)
	}
	if got := c.Classify(t.Context(), nil); len(got) != 0 {
		t.Errorf("no images give %d results", len(got))
	}
}

// TestManifestOfUnpackedModel: the configuration layer puts an embedded model
// on disk alone; its manifest is still found, but not for another file there.
func TestManifestOfUnpackedModel(t *testing.T) {
	file, manifest := demo(t)
	dir := folder(t, map[string][]byte{"cache/demo/demo-plankton.onnx": file})
	c := open(t, Options{Model: filepath.Join(dir, "cache/demo/demo-plankton.onnx")})
	if r := c.Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]; r.Err != nil || r.Model != "demo-plankton:1" {
		t.Errorf("%+v", r)
	}
	old := files
	t.Cleanup(func() { files = old })
	files = fstest.MapFS{"demo/demo-plankton.onnx": {Data: []byte("other")}, "demo/demo-plankton.yaml": {Data: manifest}}
	if _, err := Open(Options{Model: filepath.Join(dir, "cache/demo/demo-plankton.onnx")}); err == nil || !strings.Contains(err.Error(), "8 outputs and nothing names them") {
		t.Errorf("got %v", err)
	}
}

func TestDefaultsAndOverrides(t *testing.T) {
	file, manifest := demo(t)
	labels := []byte("# mine\na\nb\nc\nd\ne\nf\ng\nh\n")
	digest := sum(file)[:12]
	cases := []struct {
		name  string
		files map[string][]byte
		opts  Options
		want  string
	}{
		{"no manifest", map[string][]byte{"m.onnx": file, "labels.txt": labels}, Options{}, "m:" + digest},
		{"manifest", map[string][]byte{"m.onnx": file, "m.yaml": manifest}, Options{}, "demo-plankton:1"},
		{"yml", map[string][]byte{"m.onnx": file, "m.yml": manifest}, Options{}, "demo-plankton:1"},
		{"names given", map[string][]byte{"m.onnx": file, "m.yaml": manifest}, Options{Name: "mine", Version: "7"}, "mine:7"},
		{"other manifest", map[string][]byte{"m.onnx": file, "other.yaml": []byte("name: x\nversion: '2'\nlabels: [a, b, c, d, e, f, g, h]\n")}, Options{Manifest: "other.yaml"}, "x:2"},
		{"other labels", map[string][]byte{"m.onnx": file, "l.txt": labels}, Options{Labels: "l.txt"}, "m:" + digest},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, c.files)
			c.opts.Model = filepath.Join(dir, "m.onnx")
			for _, p := range []*string{&c.opts.Manifest, &c.opts.Labels} {
				if *p != "" {
					*p = filepath.Join(dir, *p)
				}
			}
			if r := open(t, c.opts).Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]; r.Err != nil || r.Model != c.want {
				t.Errorf("got %+v, want %s", r, c.want)
			}
		})
	}
}

func TestModelsThatDoNotFit(t *testing.T) {
	file, manifest := demo(t)
	changed := bytes.Replace(manifest, []byte("height: 64"), []byte("height: 96"), 1)
	cases := []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"nothing", nil, "no such file"},
		{"web page", map[string][]byte{"m.onnx": []byte("<html>")}, "m.onnx: onnx: "},
		{"other file", map[string][]byte{"m.onnx": append(bytes.Clone(file), 0x08, 1), "m.yaml": manifest}, "do not belong together"},
		{"size", map[string][]byte{"m.onnx": file, "m.yaml": changed}, "its height is 64, not 96"},
		{"labels", map[string][]byte{"m.onnx": file, "m.yaml": []byte("labels: [a, b]")}, "8 outputs, its manifest 2 labels"},
		{"label twice", map[string][]byte{"m.onnx": file, "m.yaml": []byte("labels: [a, a]")}, "number 2"},
		{"unknown key", map[string][]byte{"m.onnx": file, "m.yaml": []byte("lables: [a]")}, "lables"},
		{"filter", map[string][]byte{"m.onnx": file, "m.yaml": []byte("resize: {filter: cubic, keep_aspect: true, fill: 256}\nmean: [0, 1]\nstd: [0]\nscale: -1\noutput: x\ndigest: md5:0\ninput: {channels: 2, order: GRB, layout: HWC, width: 99999}")},
			"resize.filter: \"cubic\" is not one of nearest, box, bilinear, bicubic, lanczos, keras-nearest, keras-bilinear\nresize.fill: 256"},
		{"fill", map[string][]byte{"m.onnx": file, "m.yaml": []byte("resize: {fill: corner, pad: before}")}, "resize.fill: corner is not a pixel value from 0 to 255, corners, border-median or reflect\nresize.pad: before needs keep_aspect: true"},
		{"padding as Keras", map[string][]byte{"m.onnx": file, "m.yaml": []byte("resize: {filter: keras-bilinear, keep_aspect: true}")}, "resize.keep_aspect: true is not supported with keras-bilinear"},
		{"mean and std", map[string][]byte{"m.onnx": file, "m.yaml": []byte("mean: [0.5, 0.5]\nstd: [1, 0, .inf]")},
			"mean: 2 numbers, expected one, or one per channel\nstd: 0 is not a number above 0\nstd: +Inf"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(Options{Model: filepath.Join(folder(t, c.files), "m.onnx")})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestSharing: users of the same model share it until the last is gone.
func TestSharing(t *testing.T) {
	file, manifest := demo(t)
	path := filepath.Join(folder(t, map[string][]byte{"m.onnx": file, "m.yaml": append(manifest, "# sharing\n"...)}), "m.onnx")
	one, two := open(t, Options{Model: path}).(*local), open(t, Options{Model: path}).(*local)
	if one.loaded != two.loaded {
		t.Error("the model was loaded twice")
	}
	for range 2 {
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
	}
	three := open(t, Options{Model: path}).(*local)
	if three.loaded != two.loaded {
		t.Error("closing twice took it from the other user")
	}
	for _, c := range []*local{two, three} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if last := open(t, Options{Model: path}).(*local); last.loaded == two.loaded {
		t.Error("the model stayed in memory")
	}
}

func TestChoose(t *testing.T) {
	nan := nan
	probs := Manifest{Name: "m", Labels: []string{"a", "b"}, Output: Output{Kind: outputProbabilities}}
	logits := probs
	logits.Output.Kind = outputLogits
	for _, c := range []struct {
		name   string
		m      Manifest
		scores []float32
		class  string
		kind   connector.Kind
	}{
		{"best", probs, []float32{0.25, 0.75}, "b", connector.KindUnmarked},
		{"equal", probs, []float32{0.5, 0.5}, "a", connector.KindUnmarked},
		{"logits", logits, []float32{3, -2}, "a", connector.KindUnmarked},
		{"logits for probabilities", probs, []float32{3, -2}, "", connector.KindFatal},
		{"not one", probs, []float32{0.4, 0.4}, "", connector.KindFatal},
		{"NaN", probs, []float32{nan, 1}, "", connector.KindData},
	} {
		r := choose(&c.m, c.scores)
		if r.Class != c.class || connector.KindOf(r.Err) != c.kind {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestManyImagesAtOnce(t *testing.T) {
	c := open(t, Options{Model: "demo/demo-plankton.onnx"})
	var images [][]byte
	for i := range 17 {
		images = append(images, encoded(t, image.NewGray(image.Rect(0, 0, i+1, 5))))
	}
	together := c.Classify(t.Context(), images)
	for i, img := range images {
		alone := c.Classify(t.Context(), [][]byte{img})[0]
		if diff := cmp.Diff(alone, together[i], cmpopts.IgnoreUnexported(Manifest{})); diff != "" {
			t.Errorf("image %d (-alone +in a batch):\n%s", i, diff)
		}
	}
}
