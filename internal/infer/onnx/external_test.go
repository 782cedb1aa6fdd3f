package onnx

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// externalOf is a tensor whose data are in another file; entries are keys and
// values of where.
func externalOf(name string, elem, count int64, entries ...string) []byte {
	parts := [][]byte{str(8, name), num(2, elem), num(1, count), num(14, 1)}
	for i := 0; i < len(entries); i += 2 {
		parts = append(parts, bytesField(13, str(1, entries[i]), str(2, entries[i+1])))
	}
	return bytesField(5, parts...)
}

func TestExternalData(t *testing.T) {
	var file []byte
	for _, v := range []float32{9, 9, 1, 2, 3} {
		file = binary.LittleEndian.AppendUint32(file, math.Float32bits(v))
	}
	x, y := info(11, "x", 1, 3), info(12, "y", 1, 3)
	net := func(tensor []byte) []byte { return fileOf(15, x, y, tensor, nodeOf("Add", []string{"x", "w"}, "y")) }
	good := net(externalOf("w", elemFloat, 3, "location", "sub/w.data", "offset", "8", "length", "12"))
	open := func(name string) ([]byte, error) {
		if name == "sub/w.data" {
			return file, nil
		}
		return nil, errors.New("no such file")
	}
	for _, data := range [][]byte{good, net(externalOf("w", elemFloat, 3, "location", "sub/w.data", "offset", "8"))} {
		m, err := Load(data, Options{External: open})
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, 3)
		if err := m.NewSession().Run([]float32{10, 20, 30}, out); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]float32{11, 22, 33}, out); d != "" {
			t.Error(d)
		}
	}
	if names, err := ExternalFiles(good); err != nil || !cmp.Equal(names, []string{"sub/w.data"}) {
		t.Errorf("%v %v", names, err)
	}
	for _, c := range []struct {
		name   string
		tensor []byte
		want   string
	}{
		{"out of the folder", externalOf("w", elemFloat, 3, "location", "../../etc/passwd"), `tensor "w": its data is in "../../etc/passwd", which is no file beside the model`},
		{"absolute", externalOf("w", elemFloat, 3, "location", "/etc/passwd"), "no file beside the model"},
		{"no place", externalOf("w", elemFloat, 3), "no file beside the model"},
		{"missing", externalOf("w", elemFloat, 3, "location", "v.data"), "must lie beside the model: no such file"},
		{"cut off", externalOf("w", elemFloat, 3, "location", "sub/w.data", "offset", "12"), "ends beyond the end of sub/w.data, which has 20 bytes"},
		{"far", externalOf("w", elemFloat, 3, "location", "sub/w.data", "offset", "9223372036854775807"), "ends beyond the end"},
		{"negative", externalOf("w", elemFloat, 3, "location", "sub/w.data", "offset", "-4"), `offset: "-4" is not a number of bytes`},
		{"other length", externalOf("w", elemFloat, 3, "location", "sub/w.data", "length", "8"), "wants 12 bytes, sub/w.data is said to hold 8"},
		{"huge", externalOf("w", elemFloat, 1<<40, "location", "sub/w.data"), "more than"},
		{"text", externalOf("w", 8, 3, "location", "sub/w.data"), "shape [3] of string wants 0 bytes"},
		{"twice", bytesField(5, str(8, "w"), num(2, elemFloat), num(1, 1), num(14, 1), bytesField(9, []byte{0, 0, 0, 0})), "here and in another file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Load(net(c.tensor), Options{External: open}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := Load(good, Options{}); err == nil || !strings.Contains(err.Error(), "save the model as one file") {
		t.Errorf("got %v", err)
	}
}
