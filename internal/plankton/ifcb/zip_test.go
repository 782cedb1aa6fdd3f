package ifcb_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

const zipLid = "D20240501T100000_IFCB104"

type entry struct{ name, content string }

func zipOf(t testing.TB, method uint16, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t testing.TB, w, h int) string {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func open(t *testing.T, data []byte) (*ifcb.Archive, error) {
	t.Helper()
	id, err := ifcb.ParseBinID(zipLid)
	if err != nil {
		t.Fatal(err)
	}
	return ifcb.OpenArchive(bytes.NewReader(data), int64(len(data)), id)
}

func TestArchiveForms(t *testing.T) {
	names := strings.Join(ifcb.ColumnNames(ifcb.SchemaV2), ",")
	tests := []struct {
		name    string
		method  uint16
		entries []entry
		want    []int // line numbers of the table
	}{
		{"generation 1", zip.Deflate, []entry{{zipLid + ".csv", names + ",binID,pid,stitched,targetNumber\n" + v2Line + ",x,y,0,7\n"}, {zipLid + ".xml", "<Bin/>"}}, []int{7}},
		{"generation 1, other order", zip.Deflate, []entry{{zipLid + ".csv", "targetNumber," + names + "\n7," + v2Line + "\n"}}, []int{7}},
		{"generation 2", zip.Store, []entry{{"metadata.json", "{}"}, {zipLid + "_headers.json", "{}"}, {zipLid + ".csv", v2Line + "\n" + v2Line + "\n"}}, []int{1, 2}},
		{"no table", zip.Store, nil, nil},
		{"empty table", zip.Store, []entry{{zipLid + ".csv", ""}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			images := []entry{{zipLid + "_00010.png", pngOf(t, 8, 4)}, {zipLid + "_00002.png", pngOf(t, 16, 2)}}
			a, err := open(t, zipOf(t, tt.method, append(tt.entries, images...)...))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, img := range a.Images() {
				_, w, h, err := a.PNG(img)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("%d %dx%d", img.Number, w, h))
			}
			if diff := cmp.Diff([]string{"2 16x2", "10 8x4"}, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			targets, err := a.Targets()
			if err != nil {
				t.Fatal(err)
			}
			var numbers []int
			for _, target := range targets {
				numbers = append(numbers, target.Number)
				if target.Width != 176 || target.X != 788 || target.StartByte != 0 {
					t.Errorf("target %+v", target)
				}
			}
			if diff := cmp.Diff(tt.want, numbers); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadArchives(t *testing.T) {
	good := entry{zipLid + "_00002.png", pngOf(t, 8, 4)}
	cases := map[string]struct {
		data []byte
		want string
	}{
		"no zip":         {[]byte("<html>"), "not a valid zip file"},
		"empty":          {nil, "not a valid zip file"},
		"cut off":        {zipOf(t, zip.Store, good)[:60], "not a valid zip file"},
		"path traversal": {zipOf(t, zip.Store, good, entry{"../../etc/cron.d/x", "x"}), "leads out of the archive"},
		"absolute path":  {zipOf(t, zip.Store, good, entry{"/etc/passwd", "x"}), "leads out of the archive"},
		"Windows path":   {zipOf(t, zip.Store, good, entry{`..\..\x.png`, "x"}), "leads out of the archive"},
		"another bin":    {zipOf(t, zip.Store, good, entry{"D20240501T100001_IFCB104_00002.png", "x"}), "is an image of another bin"},
		"foreign image":  {zipOf(t, zip.Store, entry{"logo.png", "x"}), "is not named like an image of a bin"},
		"twice":          {zipOf(t, zip.Store, good, good), "target 2 is there twice"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := open(t, tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// hugePNG claims 60,000 x 60,000 px.
func hugePNG(t testing.TB) string {
	data := []byte(pngOf(t, 8, 4))
	copy(data[16:], []byte{0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60})
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return string(data)
}

func TestBadImages(t *testing.T) {
	corrupt := zipOf(t, zip.Store, entry{zipLid + "_00002.png", pngOf(t, 8, 4)})
	at := bytes.Index(corrupt, []byte("IDAT"))
	corrupt[at+6] ^= 0xff
	cases := map[string]struct {
		data []byte
		want string
	}{
		"bomb":        {zipOf(t, zip.Deflate, entry{zipLid + "_00002.png", strings.Repeat("\x00", ifcb.MaxPNG+1)}), "the limit is"},
		"no PNG":      {zipOf(t, zip.Store, entry{zipLid + "_00002.png", "<html><body></body></html>"}), "not a PNG file"},
		"empty":       {zipOf(t, zip.Store, entry{zipLid + "_00002.png", ""}), "target 2: image"},
		"huge claim":  {zipOf(t, zip.Store, entry{zipLid + "_00002.png", hugePNG(t)}), "60000 x 60000 pixels are more than any camera has"},
		"bad content": {corrupt, "checksum error"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			a, err := open(t, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := a.PNG(a.Images()[0]); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
