package main

import (
	"archive/zip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// TestProductsWalkThrough classifies images in two tasks, which write the files of one bin, in a worker and in the next one.
func TestProductsWalkThrough(t *testing.T) {
	s := newStream(t)
	s.topic("images", 2)
	flow := fmt.Sprintf(`
worker:
  bootstrap.servers: %s
  offset.storage.file.filename: products.offsets
  offset.flush.interval.ms: 50
  key.converter: string
  value.converter: {class: json, schemas.enable: false}
  consumer.max.poll.records: 7
connectors:
  products:
    connector.class: ifcb-products
    topics: images
    tasks.max: 2
    folder: products
    transforms:
      - classify: {model: %s, scores.field: scores}
`, s.broker, s.model("plankton"))
	if err := os.Mkdir(filepath.Join(s.dir, "products"), 0o700); err != nil {
		t.Fatal(err)
	}
	const half = 20
	for n := range 2 {
		if err := s.publish("images", n*half+1, (n+1)*half+1); err != nil {
			t.Fatal(err)
		}
		w := s.start("flow.yaml", flow)
		s.caughtUp("products", "images")
		if err := s.close(w, wait.Patience); err != nil {
			t.Fatal(err)
		}
	}
	day := filepath.Join("D2019", "D20190728", "D20190728T212639_IFCB104")
	file := func(kind, suffix string) string { return filepath.Join(s.dir, "products", kind, day+suffix) }
	scores, features := csvRows(t, file("class_scores", "_class.csv")), csvRows(t, file("features", "_fea_v4.csv"))
	blobs, err := zip.OpenReader(file("blobs", "_blobs_v4.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blobs.Close() }()
	if len(scores) != 2*half || len(features) != 2*half || len(blobs.File) != 2*half {
		t.Fatalf("%d scores, %d features and %d blobs of %d images", len(scores), len(features), len(blobs.File), 2*half)
	}
	for i := range 2 * half {
		if scores[i][0] != target(i+1) || features[i][0] != strconv.Itoa(i+1) || blobs.File[i].Name != target(i+1)+".png" {
			t.Errorf("image %d: scores of %s, features of %s, blob %s", i+1, scores[i][0], features[i][0], blobs.File[i].Name)
		}
		sum := 0.0
		for _, text := range scores[i][1:] {
			p, err := strconv.ParseFloat(text, 32)
			if err != nil {
				t.Fatal(err)
			}
			sum += p
		}
		if sum < 0.999 || sum > 1.001 {
			t.Errorf("image %d: scores %v add up to %v", i+1, scores[i], sum)
		}
	}
}

// csvRows reads a table without its first line.
func csvRows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}
