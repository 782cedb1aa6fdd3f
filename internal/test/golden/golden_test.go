package golden

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryImageHasARow(t *testing.T) {
	for table, wanted := range map[string][]string{
		"golden.csv":    {"ok sor", "ok distmap", "no_blob ", "hull_error "},
		"golden-v4.csv": {"ok sor", "ok distmap", "no_blob "},
	} {
		t.Run(table, func(t *testing.T) { checkTable(t, table, wanted) })
	}
}

func checkTable(t *testing.T, table string, wanted []string) {
	rows, err := Read(Files, "testdata/"+table)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := Files.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	statuses := map[string]int{}
	for _, row := range rows {
		known[row["path"]] = true
		statuses[row["status"]+" "+row["method"]]++
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".png") && !known[e.Name()] {
			t.Errorf("%s has no row in %s: run its reference script", e.Name(), table)
		}
	}
	for _, s := range wanted {
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
