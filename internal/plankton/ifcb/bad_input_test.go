package ifcb_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/race"
)

// lying makes the directory of an archive claim that its only entry unpacks to size bytes.
func lying(t *testing.T, archive []byte, size uint32) []byte {
	t.Helper()
	at := bytes.LastIndex(archive, []byte("PK\x01\x02"))
	if at < 0 {
		t.Fatal("no directory")
	}
	binary.LittleEndian.PutUint32(archive[at+24:], size)
	return archive
}

// A bomb costs no more memory than its limit, whether it tells its size or not, as an image or as a table.
func TestBombs(t *testing.T) {
	size := 64 << 20
	if race.Enabled {
		size = 20 << 20
	}
	zeros := strings.Repeat("\x00", size)
	image := zipOf(t, zip.Deflate, entry{zipLid + "_00002.png", zeros})
	lines := strings.Repeat(v2Line+"\n", size/len(v2Line))
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"image", image, fmt.Sprintf("target 2: %d bytes, the limit is 16777216", size)},
		{"image that claims 1000 bytes", lying(t, bytes.Clone(image), 1000), "target 2: "},
		{"table of endless lines", zipOf(t, zip.Deflate, entry{zipLid + ".csv", zeros}), "table: adc: line 1: longer than"},
		{"table of endless length", zipOf(t, zip.Deflate, entry{zipLid + ".csv", lines}), "table: adc: more than 131072 lines"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if len(tt.data) > size/100 {
				t.Fatalf("no bomb: %d bytes", len(tt.data))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a, err := open(t, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Images()) > 0 {
				_, _, _, err = a.PNG(a.Images()[0])
			} else {
				_, err = a.Targets()
			}
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 250<<20 {
				t.Errorf("%d MiB were allocated on the way", spent>>20)
			}
		})
	}
}

// Whatever is missing of an archive's end, there is an error, never a part taken for the whole.
func TestArchiveCutAnywhere(t *testing.T) {
	for method, name := range map[uint16]string{zip.Store: "stored", zip.Deflate: "deflated"} {
		whole := zipOf(t, method, entry{zipLid + ".csv", v2Line + "\n"}, entry{zipLid + "_00001.png", pngOf(t, 16, 8)}, entry{zipLid + "_00002.png", pngOf(t, 8, 4)})
		for n := range len(whole) {
			if _, err := open(t, whole[:n]); err == nil {
				t.Errorf("%s: the first %d of %d bytes are taken for an archive", name, n, len(whole))
			}
		}
	}
}

// Of an .adc that is cut anywhere the whole lines are there, and the rest is said to be missing.
func TestADCCutAnywhere(t *testing.T) {
	for name, text := range map[string]string{"new": v2Line + "\n" + v2Line + "\n", "old": v1Line + "\n" + v1Line + "\n"} {
		schema := map[string]ifcb.Schema{"new": ifcb.SchemaV2, "old": ifcb.SchemaV1}[name]
		for n := range len(text) {
			targets, err := ifcb.ReadADC(strings.NewReader(text[:n]), schema)
			if err != nil && !errors.Is(err, ifcb.ErrTruncated) {
				t.Errorf("%s, %d bytes: %v", name, n, err)
			}
			whole := strings.Count(text[:n], "\n")
			if len(targets) < whole || len(targets) > whole+1 || err != nil && len(targets) != whole {
				t.Errorf("%s, %d bytes: %d targets of %d whole lines, %v", name, n, len(targets), whole, err)
			}
		}
	}
}
