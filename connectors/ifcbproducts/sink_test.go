package ifcbproducts

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	stdimage "image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
	"github.com/axiom-data-science/hydraulics/internal/test/h5py"
)

var update = flag.Bool("update", false, "rewrite testdata/products and what h5py and pandas read of it")

var (
	scoresSchema = connector.MapOf(connector.StringSchema, connector.Float32Schema)
	schema       = connector.StructOf("ifcb.image", connector.F("pid", connector.StringSchema), connector.F("roi", connector.Int32Schema),
		connector.F("image", connector.BytesSchema), connector.F("scores", scoresSchema), connector.F("classifier", connector.StringSchema),
		connector.F("classification_time", connector.Int64Schema))
)

// record is an image with its classification.
func record(pid string, roi int, picture []byte, scores map[string]any) connector.Record {
	return connector.NewRecord("ifcb-images", connector.StringSchema, fmt.Sprintf("%s_%05d", pid, roi), schema,
		connector.NewStruct(schema).Set("pid", pid).Set("roi", int32(roi)).Set("image", picture).Set("scores", scores).
			Set("classifier", "demo:2").Set("classification_time", int64(1564349200+roi)))
}

// disc is a small picture of a particle.
var disc = sync.OnceValue(func() []byte {
	gray := stdimage.NewGray(stdimage.Rect(0, 0, 40, 40))
	for y := range 40 {
		for x := range 40 {
			shade := uint8(200)
			if (x-20)*(x-20)+(y-20)*(y-20) < 100 {
				shade = 60
			}
			gray.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, gray); err != nil {
		panic(err)
	}
	return data.Bytes()
})

// TestSink runs the suite over three bins, one of an old instrument, with some images twice.
func TestSink(t *testing.T) {
	bins := []string{"D20190728T212639_IFCB104", "D20190729T000000_IFCB104", "IFCB5_2012_028_081515"}
	connectortest.Sink(t, connectortest.SinkCase{
		New: func() connector.Sink { return new(Sink) },
		System: func(t testing.TB) connectortest.SinkSystem {
			folder := filepath.Join(t.TempDir(), "products")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			return connectortest.SinkSystem{
				Props: connector.Props{"folder": folder},
				Held:  func() []string { return held(t, folder) },
				Break: func() func() { return breakFolder(t, folder) },
			}
		},
		Record: func(n int) connector.Record {
			return record(bins[n%3], n%90+1, disc(), map[string]any{"diatom": float32(n) / 128, "other": 1 - float32(n)/128})
		},
		Item: func(r connector.Record) string {
			scores, _ := r.Value.(*connector.Struct).Get("scores")
			return fmt.Sprintf("%s %v 304 mask", r.Key, scores.(map[string]any)["diatom"])
		},
		Key: func(r connector.Record) string { return r.Key.(string) },
	})
}

// held gives the images of a folder that all products have.
func held(t testing.TB, folder string) []string {
	t.Helper()
	var items []string
	_ = filepath.WalkDir(folder, func(file string, _ fs.DirEntry, _ error) error {
		lid, scored := strings.CutSuffix(filepath.Base(file), "_class.csv")
		if !scored {
			return nil
		}
		day := filepath.Dir(strings.TrimPrefix(file, filepath.Join(folder, "class_scores")))
		measured := map[string]string{}
		for _, row := range rows(t, filepath.Join(folder, "features", day, lid+"_fea_v4.csv")) {
			measured[row[0]] = row[1]
		}
		zipped, err := os.ReadFile(filepath.Join(folder, "blobs", day, lid+"_blobs_v4.zip"))
		if err != nil {
			t.Error(err)
		}
		for _, row := range rows(t, file) {
			number := strings.TrimLeft(row[0][len(lid)+1:], "0")
			mask := ""
			if bytes.Contains(zipped, []byte(row[0]+".png")) {
				mask = "mask"
			}
			items = append(items, fmt.Sprintf("%s %s %s %s", row[0], row[1], measured[number], mask))
		}
		return nil
	})
	return items
}

func rows(t testing.TB, file string) [][]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

// breakFolder puts a file in the place of a folder.
func breakFolder(t testing.TB, folder string) (mend func()) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Rename(folder, folder+".away"))
	check(os.WriteFile(folder, nil, 0o600))
	return func() {
		check(os.Remove(folder))
		check(os.Rename(folder+".away", folder))
	}
}

// started gives a sink that writes to a folder.
func started(t *testing.T, props connector.Props, reporter connector.ErrantReporter) *Sink {
	t.Helper()
	s := new(Sink)
	c := connectortest.Context(t)
	c.Reporter = reporter
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

// write puts records and flushes.
func write(t *testing.T, s *Sink, records ...connector.Record) {
	t.Helper()
	if err := s.Put(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

const lid = "D20190728T212639_IFCB104"

// TestRecorded holds the files of a bin, which came in two parts and was classified by two models, to those that h5py and
// pandas have read. What they said is testdata/products.json, by python testdata/read.py testdata/products and the bin's
// name, with h5py 3.16.0 and pandas 3.1.1.
func TestRecorded(t *testing.T) {
	picture := func(name string) []byte {
		data, err := golden.Files.ReadFile(path.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	folder := t.TempDir()
	if *update {
		folder = filepath.Join("testdata", "products")
		if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	props := connector.Props{"folder": folder}
	parts := [][]connector.Record{
		{record(lid, 9, picture("14-empty.png"), map[string]any{"diatom": float32(0.25), "detritus": float32(0.75)}),
			record(lid, 2, picture("06-bent-chain.png"), map[string]any{"diatom": float32(0.1), "detritus": float32(0.9)})},
		{record(lid, 11, picture("02-flagellate.png"), map[string]any{"diatom": float32(0.125), "detritus": float32(0.375), "flagellate": float32(0.5)}),
			record(lid, 2, picture("06-bent-chain.png"), map[string]any{"diatom": float32(0.7), "detritus": float32(0.2), "flagellate": float32(0.1)})},
	}
	for _, part := range parts {
		write(t, started(t, props, nil), part...)
	}
	first := content(t, folder)
	write(t, started(t, props, nil), parts[1]...)
	if diff := cmp.Diff(first, content(t, folder)); diff != "" {
		t.Errorf("what came again changed files (-before +after)\n%s", diff)
	}
	if diff := cmp.Diff(content(t, filepath.Join("testdata", "products")), first); diff != "" {
		t.Errorf("the files have other bytes (-recorded +now)\n%s", diff)
	}
	t.Run("h5py", func(t *testing.T) {
		h5py.Check(t, filepath.Join("testdata", "products.json"), *update, filepath.Join("testdata", "read.py"), filepath.Join("testdata", "products"), lid)
	})
}

// content gives the files of a folder but for the lock.
func content(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == ".lock" {
			return err
		}
		data, err := os.ReadFile(filepath.Join(folder, name))
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMistakesNameTheField(t *testing.T) {
	sound := func() *connector.Struct {
		return record(lid, 1, disc(), map[string]any{"a": float32(1)}).Value.(*connector.Struct)
	}
	of := func(value any, key any) connector.Record {
		r := connector.NewRecord("t", nil, key, nil, value)
		r.Origin = connector.Origin{Topic: "t", Partition: 1, Offset: 7}
		return r
	}
	tests := []struct {
		name   string
		record connector.Record
		want   string
	}{
		{"null", of(nil, nil), "value is null, expected a struct or map"},
		{"no name", of(map[string]any{}, []byte("k")), "no fields pid and roi, and the key is a []uint8 and no image's name: set key.converter to string"},
		{"a key of another kind", of(map[string]any{}, "k"), `target name "k": want a name like `},
		{"no bin", of(sound().Set("pid", "x"), nil), `bin name "x": want a name like `},
		{"no line", of(sound().Set("roi", int32(0)), nil), "0 is not a line of an .adc file"},
		{"no scores", of(map[string]any{"pid": lid, "roi": int64(1)}, nil),
			"field scores: expected a probability of each class, got nothing: set scores.field of the transform classify"},
		{"a score in words", of(map[string]any{"pid": lid, "roi": int64(1), "scores": map[string]any{"a": "much"}}, nil),
			"field scores: class a: expected a number, got string"},
		{"no image", of(map[string]any{"pid": lid, "roi": int64(1), "scores": map[string]any{"a": 1.0}}, nil), "field image: missing or null"},
		{"no picture", of(sound().Set("image", []byte("x")), nil), "field image: not a readable PNG"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := "record t[1]@7: " + tt.want
			err := started(t, connector.Props{"folder": t.TempDir()}, nil).Put(t.Context(), []connector.Record{tt.record})
			if err == nil || !strings.HasPrefix(err.Error(), want) || connector.KindOf(err) != connector.KindData {
				t.Errorf("error %v of kind %v, want %s", err, connector.KindOf(err), want)
			}
			var reporter connectortest.Reporter
			folder := t.TempDir()
			write(t, started(t, connector.Props{"folder": folder}, &reporter), tt.record, record(lid, 3, disc(), map[string]any{"a": float32(1)}))
			if records, _ := reporter.Reported(); len(records) != 1 {
				t.Errorf("%d records reported, want 1", len(records))
			}
			if got := held(t, folder); len(got) != 1 {
				t.Errorf("held %q, want the sound record alone", got)
			}
		})
	}
}

// TestProducts has each product alone, under the names of other tools, and records as JSON has them.
func TestProducts(t *testing.T) {
	day := path.Join("D2019", "D20190728", lid)
	jsonRecord := connector.NewRecord("t", nil, lid+"_00004", nil, map[string]any{"image": disc(), "scores": map[string]any{"a": 1.0}})
	for name, tt := range map[string]struct {
		props connector.Props
		want  []string
	}{
		"class":    {connector.Props{"products": "class", "class.suffix": "_class_v3"}, []string{"class_scores/" + day + "_class_v3.csv", "class_scores/" + day + "_class_v3.h5"}},
		"features": {connector.Props{"products": "features", "features.suffix": "_features_v4"}, []string{"features/" + day + "_features_v4.csv", "features/" + path.Dir(day) + "/multiblob/" + lid + "_multiblob_v4.csv"}},
		"blobs":    {connector.Props{"products": "blobs"}, []string{"blobs/" + day + "_blobs_v4.zip"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			tt.props["folder"] = folder
			write(t, started(t, tt.props, nil), jsonRecord)
			got := content(t, folder)
			if len(got) != len(tt.want) {
				t.Errorf("%d files, want %d", len(got), len(tt.want))
			}
			for _, file := range tt.want {
				if got[file] == "" {
					t.Errorf("%s is not there", file)
				}
			}
		})
	}
}

// TestLeavesForeignFiles has files that the sink cannot add to: they stay, and the error says what to do.
func TestLeavesForeignFiles(t *testing.T) {
	day := filepath.Join("D2019", "D20190728", lid)
	for file, want := range map[string]string{
		filepath.Join("class_scores", day+"_class.h5"):  "it has no table beside it, it is another program's",
		filepath.Join("class_scores", day+"_class.csv"): "its first column is x and not pid",
		filepath.Join("features", day+"_fea_v4.csv"):    "its columns are x,y and not roi_number,Area,",
		filepath.Join("blobs", day+"_blobs_v4.zip"):     "zip: not a valid zip file",
	} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			folder := t.TempDir()
			name := filepath.Join(folder, file)
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte("x,y\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s := started(t, connector.Props{"folder": folder}, nil)
			if err := s.Put(t.Context(), []connector.Record{record(lid, 1, disc(), map[string]any{"a": float32(1)})}); err != nil {
				t.Fatal(err)
			}
			err := s.Flush(t.Context())
			if err == nil || connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), name+": "+want) ||
				!strings.HasSuffix(err.Error(), "move it away to have it made anew") {
				t.Errorf("error %v of kind %v, want %s", err, connector.KindOf(err), want)
			}
			if left := content(t, folder)[filepath.ToSlash(file)]; left != "x,y\n" {
				t.Errorf("the file holds %q", left)
			}
		})
	}
}

// TestTasksShareABin has two tasks that write the images of one bin at the same time.
func TestTasksShareABin(t *testing.T) {
	folder := t.TempDir()
	const each = 15
	var wait sync.WaitGroup
	for task := range 2 {
		s := started(t, connector.Props{"folder": folder}, nil)
		wait.Go(func() {
			for n := range each {
				err := s.Put(t.Context(), []connector.Record{record(lid, 2*n+task+1, disc(), map[string]any{"a": float32(1)})})
				if err == nil {
					err = s.Flush(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := held(t, folder); len(got) != 2*each {
		t.Errorf("%d images, want %d", len(got), 2*each)
	}
}

// TestWaitsForItsFolder has a folder that is not there, and a file in its place.
func TestWaitsForItsFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{filepath.Join(t.TempDir(), "none"): "no such file or directory", file: "is no folder"} {
		s := new(Sink)
		err := s.Start(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, connector.Props{"folder": folder}))
		if err == nil || connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v of kind %v, want %s", folder, err, connector.KindOf(err), want)
		}
	}
}

func TestConfigurationMistakes(t *testing.T) {
	for key, value := range map[string]string{"products": "class,movies", "class.suffix": "class", "features.suffix": "_a/b", "folder": ""} {
		props := connector.Props{"folder": "x", key: value}
		if _, err := connector.ParsePlugin(new(Sink), props); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %q: %v", key, value, err)
		}
	}
}
