package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// notes collects what a swapping model tells.
type notes struct {
	mu   sync.Mutex
	list []SwapEvent
}

func (n *notes) add(e SwapEvent) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, e)
}

// wait gives the event of a number, once it is there.
func (n *notes) wait(t *testing.T, i int) SwapEvent {
	t.Helper()
	var list []SwapEvent
	wait.Until(t, fmt.Sprintf("event %d", i), func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		list = n.list
		return len(list) > i
	})
	return list[i]
}

// pictures gives images that differ.
func pictures(t *testing.T, n int) [][]byte {
	t.Helper()
	var list [][]byte
	for i := range n {
		img := image.NewGray(image.Rect(0, 0, 30+7*i, 20+3*i))
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				img.SetGray(x, y, color.Gray{Y: uint8(200 - (x*y*(i+1))%120)})
			}
		}
		list = append(list, encoded(t, img))
	}
	return list
}

// put replaces a file as a whole, with a time of its own.
func put(t *testing.T, file string, data []byte) {
	t.Helper()
	part := file + ".part"
	if err := os.WriteFile(part, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, file); err != nil {
		t.Fatal(err)
	}
}

// TestSwapOfFiles goes through models that pass and that do not, each time with
// a batch before and behind.
func TestSwapOfFiles(t *testing.T) {
	file, manifest := demo(t)
	edit := func(pairs ...string) []byte { return []byte(strings.NewReplacer(pairs...).Replace(string(manifest))) }
	steps := []struct {
		name  string
		file  string
		data  []byte
		err   string // why it is refused; empty where it is taken
		model string // that classifies then
	}{
		{name: "another version", file: "m.yaml", data: edit("version: '1'", "version: '2'"), model: "demo-plankton:2"},
		{name: "truncated", file: "m.onnx", data: file[:len(file)/2], err: "file ends in the middle of a value", model: "demo-plankton:2"},
		{name: "whole again", file: "m.onnx", data: file, model: "demo-plankton:2"},
		{name: "other labels", file: "m.yaml", data: edit("- demo-spiny", "- Dinophysis"), err: "its classes are others: without demo-spiny; with Dinophysis; canary.labels=any", model: "demo-plankton:2"},
		{name: "drift", file: "m.yaml", data: edit("scale: 0.00392156862745098", "scale: 0.00002"), err: "canary", model: "demo-plankton:2"},
		{name: "no manifest that can be read", file: "m.yaml", data: []byte("labels: {"), err: "manifest", model: "demo-plankton:2"},
		{name: "a third version", file: "m.yaml", data: edit("version: '1'", "version: '3'"), model: "demo-plankton:3"},
	}
	for _, canary := range []string{"last images", "folder"} {
		t.Run(canary, func(t *testing.T) {
			dir := folder(t, map[string][]byte{"m.onnx": file, "m.yaml": manifest})
			images := pictures(t, 12)
			var seen notes
			swap := Swap{Every: 2 * time.Millisecond, Images: 8, Agreement: 0.9, Drift: 0.1, Note: seen.add}
			if canary == "folder" {
				files := map[string][]byte{"not-an-image.png": []byte("x")}
				for i, img := range images {
					files[fmt.Sprintf("%02d.png", i)] = img
				}
				swap.Canary = folder(t, files)
			}
			c := open(t, Options{Model: filepath.Join(dir, "m.onnx"), Swap: swap})
			classify := func(want string) {
				t.Helper()
				for i, r := range c.Classify(t.Context(), images) {
					if r.Err != nil || r.Model != want || r.Scores != nil {
						t.Fatalf("image %d: %+v, want one of %s", i, r, want)
					}
				}
			}
			classify("demo-plankton:1")
			n := 0
			for _, s := range steps {
				put(t, filepath.Join(dir, s.file), s.data)
				if s.name == "whole again" {
					continue // it is what is in use: nothing to tell
				}
				e := seen.wait(t, n)
				n++
				if s.err == "" && (e.Err != nil || e.To != s.model || e.Images != 8 || e.Drift > 1e-6 || e.Agreement != 1) {
					t.Errorf("%s: %+v", s.name, e)
				}
				if s.err != "" && (e.Err == nil || !strings.Contains(e.Err.Error(), s.err)) {
					t.Errorf("%s: %v, want %s", s.name, e.Err, s.err)
				}
				classify(s.model)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			sharedMu.Lock()
			defer sharedMu.Unlock()
			for _, l := range shared {
				if l.manifest.Version == "3" && l.manifest.Name == "demo-plankton" || l.manifest.Version == "2" {
					t.Errorf("version %s is still in memory", l.manifest.Version)
				}
			}
		})
	}
	if _, err := Open(Options{Model: "demo/demo-plankton.onnx", Swap: Swap{Every: time.Second, Canary: t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "there is no PNG file in the folder") {
		t.Errorf("an empty folder: %v", err)
	}
}

// scripted is a classifier that says what it is told to.
type scripted struct {
	name   string
	answer func(img []byte) error
	closed int
	count  int
}

func (s *scripted) Classify(_ context.Context, images [][]byte) []Result {
	results := make([]Result, len(images))
	for i, img := range images {
		s.count++
		if results[i].Err = s.answer(img); results[i].Err == nil {
			results[i] = Result{Class: "a", Prob: 1, Model: s.name, By: &Manifest{Labels: []string{"a"}}, Scores: []float32{1}}
		}
	}
	return results
}

func (s *scripted) Close() error { s.closed++; return nil }

// TestFirstBatch: a model that fails on an image which the one before can
// classify is taken back with the whole batch; a bad image is no reason.
func TestFirstBatch(t *testing.T) {
	fine := func([]byte) error { return nil }
	notPNG := func(img []byte) error {
		if bytes.Equal(img, []byte("bad")) {
			return connector.Data(errors.New("no image"))
		}
		return nil
	}
	batch := [][]byte{[]byte("1"), []byte("bad"), []byte("2")}
	for _, c := range []struct {
		name     string
		old, new func([]byte) error
		want     string
		oldEnds  bool
	}{
		{"fine", notPNG, fine, "m:2", true},
		{"a bad image", notPNG, notPNG, "m:2", true},
		{"NaN", notPNG, func([]byte) error { return connector.Data(errors.New("the model gave NaN")) }, "m:1", false},
		{"broken", fine, func([]byte) error { return connector.Fatal(errors.New("out of shape")) }, "m:1", false},
		{"away", fine, func([]byte) error { return connector.Retriable(errors.New("503")) }, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen notes
			old, new := &scripted{name: "m:1", answer: c.old}, &scripted{name: "m:2", answer: c.new}
			s := &swapping{swap: Swap{Images: 4, Note: seen.add}, current: new, before: old, name: "m:2", pinned: false}
			models := map[string]bool{}
			for _, r := range s.Classify(t.Context(), batch) {
				if r.Err == nil {
					models[r.Model] = true
				}
			}
			if len(models) > 1 || c.want != "" && !models[c.want] {
				t.Errorf("classified by %v, want %s", models, c.want)
			}
			if (old.closed == 1) != c.oldEnds || (new.closed == 1) != (c.want == "m:1") {
				t.Errorf("old closed %d times, new %d times", old.closed, new.closed)
			}
			if c.want == "m:1" && (len(seen.list) != 1 || seen.list[0].Err == nil || seen.list[0].From != "m:1" || seen.list[0].To != "m:2") {
				t.Errorf("told %+v", seen.list)
			}
		})
	}
}

// TestSwapOfServersVersion: the version that answered first goes on until the
// next one has passed the comparison.
func TestSwapOfServersVersion(t *testing.T) {
	var mu sync.Mutex
	newest, asked := 1, map[string]int{}
	versions := map[string]string{"1": "[0.75,0.25]", "2": "[0.125,0.875]", "3": "[0.7,0.3]"}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		version := fmt.Sprint(newest)
		if _, rest, ok := strings.Cut(r.URL.Path, "/versions/"); ok {
			version, _, _ = strings.Cut(strings.TrimSuffix(rest, "/metadata"), ":")
		}
		switch {
		case strings.HasSuffix(r.URL.Path, ":predict"):
			var body struct{ Instances []json.RawMessage }
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			asked[version] += len(body.Instances)
			fmt.Fprintf(w, `{"predictions":[%s]}`, strings.TrimSuffix(strings.Repeat(versions[version]+",", len(body.Instances)), ","))
		case strings.HasSuffix(r.URL.Path, "/metadata"):
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprintf(w, `{"model_version_status":[{"version":"%s","state":"AVAILABLE"}]}`, version)
		}
	}))
	t.Cleanup(h.Close)
	dir := folder(t, map[string][]byte{"m.yaml": []byte("labels: [a, b]\n")})
	var seen notes
	c := open(t, Options{Model: h.URL + "/v1/models/m?of=/versions/9", Manifest: filepath.Join(dir, "m.yaml"), // that names no version
		Swap: Swap{Every: 2 * time.Millisecond, Agreement: 0.9, Drift: 0.1, Note: seen.add}})
	serve := func(n int) { mu.Lock(); newest = n; mu.Unlock() }
	classify := func(want string) {
		t.Helper()
		for _, r := range c.Classify(t.Context(), pictures(t, 3)) {
			if r.Err != nil || r.Model != want {
				t.Fatalf("%+v, want one of %s", r, want)
			}
		}
	}
	classify("m:1")
	serve(2)
	if e := seen.wait(t, 0); e.Err == nil || e.From != "m:1" || e.To != "m:2" || !strings.Contains(e.Err.Error(), "canary.agreement") {
		t.Errorf("version 2: %+v", e)
	}
	classify("m:1")
	serve(3)
	if e := seen.wait(t, 1); e.Err != nil || e.To != "m:3" {
		t.Errorf("version 3: %+v", e)
	}
	classify("m:3")
}

// TestServerWithoutVersions: where a server cannot be asked for a version, the
// model goes on as it would without a swap.
func TestServerWithoutVersions(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/versions/"), strings.HasSuffix(r.URL.Path, "/metadata"):
			w.WriteHeader(http.StatusNotFound)
		case strings.HasSuffix(r.URL.Path, ":predict"):
			fmt.Fprint(w, `{"predictions":[[0.75,0.25]]}`)
		default:
			fmt.Fprint(w, `{"name":"m","ready":true}`)
		}
	}))
	t.Cleanup(h.Close)
	dir := folder(t, map[string][]byte{"m.yaml": []byte("version: '7'\nlabels: [a, b]\n")})
	c := open(t, Options{Model: h.URL + "/v1/models/m", Manifest: filepath.Join(dir, "m.yaml"), Swap: Swap{Every: time.Hour}})
	for range 3 {
		if r := c.Classify(t.Context(), pictures(t, 1))[0]; r.Err != nil || r.Model != "m:7" {
			t.Errorf("%+v", r)
		}
	}
}
