package products

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

const lid = "D20190728T212639_IFCB104"

// TestScoresOver has scores of other images, other classes and the same image.
func TestScoresOver(t *testing.T) {
	at := time.Unix(1_564_349_200, 0)
	newer := NewScores(lid)
	newer.Add(3, map[string]float32{"b": 0.25, "c": 0.75}, "m:2", at.Add(time.Hour))
	newer.Add(1, map[string]float32{"b": 1}, "m:1", at)
	for name, tt := range map[string]struct{ older, want string }{
		"none":            {"", "pid,b,c\nBIN_00001,1,\nBIN_00003,0.25,0.75\n"},
		"other images":    {"pid,b,c\nBIN_00002,0.5,0.5\n", "pid,b,c\nBIN_00001,1,\nBIN_00002,0.5,0.5\nBIN_00003,0.25,0.75\n"},
		"the same image":  {"pid,b,c\nBIN_00003,0.5,0.5\n", "pid,b,c\nBIN_00001,1,\nBIN_00003,0.25,0.75\n"},
		"other classes":   {"pid,d,a\nBIN_00002,0.1,0.9\n", "pid,a,b,c,d\nBIN_00001,,1,,\nBIN_00002,0.9,,,0.1\nBIN_00003,,0.25,0.75,\n"},
		"a table of none": {"pid\n", "pid,b,c\nBIN_00001,1,\nBIN_00003,0.25,0.75\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var older []byte
			if tt.older != "" {
				older = []byte(strings.ReplaceAll(tt.older, "BIN", lid))
			}
			both, err := newer.over(older)
			if err != nil {
				t.Fatal(err)
			}
			got, err := both.CSV()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, strings.ReplaceAll(string(got), lid, "BIN")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if both.model != "m:2" {
				t.Errorf("model %s, want that of the last classification", both.model)
			}
			if _, err := both.HDF5(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTablesThatCannotBeRead say what is wrong.
func TestTablesThatCannotBeRead(t *testing.T) {
	images, scores := NewImages(lid), NewScores(lid)
	scores.Add(1, map[string]float32{"a": 1}, "m:1", time.Time{})
	overScores := func(older []byte) ([]byte, error) {
		both, err := scores.over(older)
		if err != nil {
			return nil, err
		}
		return both.HDF5()
	}
	for name, tt := range map[string]struct {
		over  func([]byte) ([]byte, error)
		older string
		want  string
	}{
		"empty":             {images.featuresOver, " \n", "its columns are  "},
		"nothing":           {images.featuresOver, "", "it is empty"},
		"another version":   {images.multiblobOver, "roi_number,Area\n1,2\n", "its columns are roi_number,Area and not roi_number,blob_number,"},
		"no number":         {overScores, "pid,a\nx,1\n", `row 2: "x" does not name an image`},
		"a short row":       {overScores, "pid,a\n1\n", "record on line 2: wrong number of fields"},
		"no probability":    {overScores, "pid,a\n" + lid + "_00002,much\n", `image 2, class a: "much" is no probability`},
		"no zip":            {images.blobsOver, "PK", "zip: not a valid zip file"},
		"an empty zip file": {images.blobsOver, "", "zip: not a valid zip file"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tt.over([]byte(tt.older)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestFolders has the folders of both generations of instruments: each is part of the names of the files in it, or a reader
// does not enter it.
func TestFolders(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{lid, "D2019/D20190728"},
		{"D20191231T235959_IFCB010", "D2019/D20191231"},
		{"IFCB5_2012_028_081515", "2012/IFCB5_2012_028"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bin, err := ifcb.ParseBinID(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			images := NewImages(tt.name)
			empty, err := imaging.NewAnalyser(imaging.Options{}).AnalyseV4(image.NewGray(image.Rect(0, 0, 20, 20)))
			if err != nil {
				t.Fatal(err)
			}
			if err := images.Add(1, &empty); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := (Folder{Path: dir, NoFeatures: true}).Add(bin, images, nil); err != nil {
				t.Fatal(err)
			}
			file := tt.name + "_blobs_v4.zip"
			if _, err := os.Stat(filepath.Join(dir, "blobs", filepath.FromSlash(tt.want), file)); err != nil {
				t.Error(err)
			}
			for folder := range strings.SplitSeq(tt.want, "/") {
				if !strings.Contains(file, folder) {
					t.Errorf("%s is not part of %s", folder, file)
				}
			}
		})
	}
}
