package hdf5

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/h5py"
)

var update = flag.Bool("update", false, "rewrite testdata/arrays.h5; then read it again with h5py")

// arrays has each type, texts that are empty, shared and not ASCII, and dimensions of one and two bytes.
func arrays() []Dataset {
	many := make([]float32, 300*2)
	for i := range many {
		many[i] = float32(i) / 8
	}
	many[1] = float32(math.Inf(1))
	return []Dataset{
		{Name: "metadata", Attributes: []Attribute{{"version", "v3"}, {"nothing", ""}, {"where", "Öresund"}}},
		{Name: "floats", Dims: []int{300, 2}, Data: many, Attributes: []Attribute{{"unit", "v3"}}},
		{Name: "shorts", Dims: []int{3}, Data: []uint16{0, 1, math.MaxUint16}},
		{Name: "words", Dims: []int{1, 2}, Data: []uint32{7, math.MaxUint32}},
		{Name: "texts", Dims: []int{4}, Data: []string{"Öresund", "", "v3", strings.Repeat("long ", 1000)}},
	}
}

// TestRecorded holds the bytes of a file to those that h5py has read: what it said is testdata/arrays.json, by
// python testdata/dump.py testdata/arrays.h5 with h5py 3.16.0. A Go that deflates otherwise changes them: -update, and
// h5py again.
func TestRecorded(t *testing.T) {
	got, err := Encode(arrays())
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("testdata", "arrays.h5")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the file has other bytes (-recorded +now)\n%s", diff)
	}
}

// TestH5py reads the recorded file with h5py.
func TestH5py(t *testing.T) {
	h5py.Check(t, filepath.Join("testdata", "arrays.json"), *update, filepath.Join("testdata", "dump.py"), filepath.Join("testdata", "arrays.h5"))
}

func TestChecksum(t *testing.T) {
	for text, want := range map[string]uint32{ // the vectors of lookup3.c
		"": 0xdeadbeef, "Four score and seven years ago": 0x17770551,
	} {
		if got := checksum([]byte(text)); got != want {
			t.Errorf("%q: %#x, want %#x", text, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct {
		name    string
		dataset Dataset
		want    string
	}{
		{"too few", Dataset{Name: "a", Dims: []int{2, 2}, Data: make([]float32, 3)}, "hdf5: dataset a: 3 elements for the dimensions [2 2]"},
		{"none", Dataset{Name: "a", Dims: []int{0}, Data: []uint32{}}, "hdf5: dataset a: 0 elements for the dimensions [0]"},
		{"no dimensions", Dataset{Name: "a", Data: []uint32{1}}, "hdf5: dataset a: 1 elements for the dimensions []"},
		{"another type", Dataset{Name: "a", Dims: []int{1}, Data: []int{1}}, "hdf5: dataset a: elements of type []int cannot be written"},
		{"no name", Dataset{Dims: []int{1}, Data: []uint16{1}}, "hdf5: dataset : its name has 0 bytes, not 1 to 255"},
		{"a long attribute", Dataset{Name: "a", Attributes: []Attribute{{strings.Repeat("x", 1<<16), "v"}}},
			"hdf5: dataset a: a header message has 65586 bytes, the most is 65535"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Encode([]Dataset{tt.dataset}); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}
