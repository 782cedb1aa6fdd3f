package golden

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryImageHasARow(t *testing.T) {
	rows, err := Read(Files, "testdata/golden.csv")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := Files.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"golden.csv": true}
	statuses := map[string]int{}
	for _, row := range rows {
		known[row["path"]] = true
		statuses[row["status"]+" "+row["method"]]++
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("%s has no row in golden.csv: run seed_reference.py", e.Name())
		}
	}
	for _, s := range []string{"ok sor", "ok distmap", "no_blob ", "hull_error "} {
		if statuses[s] == 0 {
			t.Errorf("no image of status and method %s among %v", s, statuses)
		}
	}
}

func TestMistakes(t *testing.T) {
	files := fstest.MapFS{"empty.csv": {}, "odd.csv": {Data: []byte("a,b\n1\n")}}
	for path, want := range map[string]string{
		"empty.csv": "empty.csv is empty", "odd.csv": "odd.csv: record on line 2", "none.csv": "none.csv: file does not exist",
	} {
		if _, err := Read(files, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}
