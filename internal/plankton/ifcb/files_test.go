package ifcb_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

const (
	v1Line = "3,.72,.02,-1.84,.04,-1.15,-.61,.42,.65,210,432,180,86,36927,-.45,"
	v2Line = "2,45.9,0.63,0.02,-0.001,0.001,3.4,0.25,0.01,0.009,54.3,45.9,45.97,788,711,176,82,0,0,0,0,0,45.95,0.07"
)

func TestReadADC(t *testing.T) {
	type row struct {
		Number, Trigger, X, Y, Width, Height int
		Start                                int64
		Light                                [4]float64
	}
	first1 := row{1, 3, 210, 432, 180, 86, 36927, [4]float64{.02, -1.84, .04, -1.15}}
	first2 := row{1, 2, 788, 711, 176, 82, 0, [4]float64{0.63, 0.02, -0.001, 0.001}}
	empty2 := row{2, 2, 0, 0, 0, 0, 0, [4]float64{0.63, 0.02, -0.001, 0.001}}
	noImage := strings.Replace(v2Line, "788,711,176,82", "0,0,0,0", 1)
	tests := []struct {
		name   string
		schema ifcb.Schema
		in     string
		want   []row
		bad    string
	}{
		{name: "empty", schema: ifcb.SchemaV2},
		{name: "old", schema: ifcb.SchemaV1, in: v1Line + "\n", want: []row{first1}},
		{name: "old, Windows line ends", schema: ifcb.SchemaV1, in: v1Line + "\r\n", want: []row{first1}},
		{name: "new, a line without image", schema: ifcb.SchemaV2, in: v2Line + "\n" + noImage + "\n", want: []row{first2, empty2}},
		{name: "last line without line end but whole", schema: ifcb.SchemaV2, in: v2Line, want: []row{first2}},
		{name: "26 columns", schema: ifcb.SchemaV2, in: v2Line + ",1,2\n", want: []row{first2}},
		{name: "18 columns", schema: ifcb.SchemaV2, in: strings.Join(strings.Split(v2Line, ",")[:18], ",") + "\n", want: []row{first2}},
		{name: "whole numbers as floats", schema: ifcb.SchemaV2, in: strings.Replace(v2Line, "788,711,176,82", "788.0,7.11e2,176.000,82.", 1) + "\n", want: []row{first2}},
		{name: "cut off in a line", schema: ifcb.SchemaV2, in: v2Line + "\n2,45.9,0.6", want: []row{first2}, bad: "line 2: file is truncated"},
		{name: "an empty line at the end, one within", schema: ifcb.SchemaV2, in: v2Line + "\n\r\n" + noImage + "\n\n", want: []row{first2, empty2}},
		{name: "no line is readable", schema: ifcb.SchemaV2, in: "1,2,3\n", bad: "line 1: 3 columns, want at least 18"},
		{name: "old line read as new", schema: ifcb.SchemaV2, in: v1Line + "\n", bad: "line 1: 15 columns"},
		{name: "text", schema: ifcb.SchemaV1, in: "<html>\n", bad: "line 1"},
		{name: "endless line", schema: ifcb.SchemaV2, in: strings.Repeat("1,", 40_000), bad: "line 1: longer than"},
		{name: "unknown schema", schema: 7, bad: "schema 7 is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			targets, err := ifcb.ReadADC(strings.NewReader(tt.in), tt.schema)
			if (err == nil) != (tt.bad == "") || (err != nil && !strings.Contains(err.Error(), tt.bad)) {
				t.Fatalf("error %v, want %q", err, tt.bad)
			}
			var got []row
			for _, x := range targets {
				got = append(got, row{x.Number, x.Trigger, x.X, x.Y, x.Width, x.Height, x.StartByte, x.Light})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A spoiled cell costs its line's image at most, and a photomultiplier's only its value.
func TestSpoiledCells(t *testing.T) {
	good := v2Line + "\n"
	spoil := func(old, spoilt string) string { return strings.Replace(v2Line, old, spoilt, 1) + "\n" }
	tests := []struct {
		name, line string
		bad        string // empty where the image is to be had
		dark       bool   // photomultiplier A is unreadable
	}{
		{name: "blank photomultiplier", line: spoil("0.63", ""), dark: true},
		{name: "NaN photomultiplier", line: spoil("0.63", "NaN"), dark: true},
		{name: "Windows' NaN", line: spoil("0.63", "-1.#IND00"), dark: true},
		{name: "infinite photomultiplier", line: spoil("0.63", "1.#INF"), dark: true},
		{name: "trigger", line: spoil("2,45.9", "?,45.9")},
		{name: "place", line: spoil("788", "788.5")},
		{name: "NaN size", line: spoil("176,82", "NaN,NaN"), bad: `line 2: column 16: "NaN" is no whole number`},
		{name: "blank size and offset", line: spoil("176,82,0", ",,"), bad: "line 2: column 16"},
		{name: "negative width", line: spoil("176,82", "-176,82"), bad: "line 2: an image of -176 x 82 pixels"},
		{name: "negative height", line: spoil("176,82", "0,-82"), bad: "line 2: an image of 0 x -82 pixels"},
		{name: "negative offset", line: spoil("82,0,", "82,-1,"), bad: `line 2: column 18: "-1" is no file offset`},
		{name: "offset without image", line: spoil("176,82,0,", "0,0,-1,")},
		{name: "larger than a camera", line: spoil("176,82", "60000,60000"), bad: "line 2: an image of 60000 x 60000 pixels"},
		{name: "short line", line: "2,45.9,0.63\n", bad: "line 2: 3 columns, want at least 18"},
		{name: "quiet NaN of Windows", line: spoil("0.63", "1.#QNAN"), dark: true},
		{name: "image as floats", line: spoil("176,82,0,", "176.0,82.0,0.0,")},
		{name: "a cell of NULs", line: spoil("0.63", "\x00\x00"), dark: true},
		{name: "a block of NULs, as a power cut leaves it", line: strings.Repeat("\x00", 512) + "\n", bad: "line 2: 1 columns, want at least 18"},
		{name: "commas alone", line: strings.Repeat(",", 23) + "\n", bad: "line 2: column 16"},
		{name: "endless line", line: strings.Repeat("1,", 40_000) + "\n", bad: "line 2: longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			targets, err := ifcb.ReadADC(strings.NewReader(good+tt.line+good), ifcb.SchemaV2)
			if err != nil || len(targets) != 3 {
				t.Fatalf("%d targets, %v", len(targets), err)
			}
			for i, x := range targets {
				if i != 1 && (x.Bad != nil || !x.HasImage()) || x.Number != i+1 {
					t.Errorf("line %d: %+v", i+1, x)
				}
			}
			switch spoilt := targets[1]; {
			case tt.bad == "" && spoilt.Bad != nil || tt.bad != "" && (spoilt.Bad == nil || !strings.Contains(spoilt.Bad.Error(), tt.bad)):
				t.Errorf("error %v, want %q", spoilt.Bad, tt.bad)
			case spoilt.Bad != nil && spoilt.HasImage():
				t.Error("an unreadable line has an image")
			case tt.dark != math.IsNaN(spoilt.Light[0]) && tt.bad == "":
				t.Errorf("photomultiplier A is %g", spoilt.Light[0])
			}
		})
	}
	old := strings.Replace(v1Line, "210", "x", 1) // where half a particle lies
	if targets, err := ifcb.ReadADC(strings.NewReader(v1Line+"\n"+old+"\n"), ifcb.SchemaV1); err != nil || targets[1].Bad == nil {
		t.Errorf("old camera: %v, %v", targets, err)
	}
}

func TestReadHeader(t *testing.T) {
	tests := []struct {
		name, in string
		want     map[string]string
	}{
		{"new", "SoftwareVersion: 2.0\nrunTime: 715.65\nADCFileFormat: trigger#, time of flight\ntemperature: 19.9\t\r\n",
			map[string]string{"softwareversion": "2.0", "runtime": "715.65", "adcfileformat": "trigger#, time of flight", "temperature": "19.9"}},
		{"a URL as value", "UpdateServer: http://x.example:80/a\n", map[string]string{"updateserver": "http://x.example:80/a"}},
		{"the first of two counts", "a: 1\nA: 2\n", map[string]string{"a": "1"}},
		{"old", "\"Acquisition\"\n\"SyringeStatus =  0\"\n\"Temp Humidity BinarizeThresh PMT1hv(ssc) PMT2hv(chl) BlobSizeThresh\"\n\" 11.47\",\" 32.1\",\" 30\",\" .675\",\" .6\",\" 10\"\n",
			map[string]string{"temperature": "11.47", "humidity": "32.1", "binarizethreshold": "30", "pmt1hv": ".675", "pmt2hv": ".6", "blobsizethreshold": "10"}},
		{"in between", "Imaging FlowCytobot Acquisition Software version 2.0; May 2010\nrun time = 1200.5 s   inhibit time = 12.25 s\n",
			map[string]string{"runtime": "1200.5", "inhibittime": "12.25"}},
		{"a line of 70,000 characters", "a: 1\nFileComment: " + strings.Repeat("x", 70_000) + "\nb: 2\n", map[string]string{"a": "1", "b": "2"}},
		{"more lines than any", "a: 1\n" + strings.Repeat("\n", 20_000) + "b: 2\n", map[string]string{"a": "1"}},
		{"byte order mark", "\ufeffa: 1\n", map[string]string{"a": "1"}},
		{"empty", "", map[string]string{}},
		{"noise", "\x00\xff\n:::\nplain\n\"one\"\n", map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := ifcb.ReadHeader(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, key := range h.Keys() {
				got[strings.ToLower(key)], _ = h.Get(strings.ToUpper(key))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What a run was is told by its type, in whatever words, and by switches.
func TestRunFlags(t *testing.T) {
	for in, want := range map[string]string{
		"sampleType: Normal\nrunBeads: False": "", "sampleType: debubble": "", "runSampleFast: True": "fast", "sampleType: Alt": "alternate",
		"sampleType: BEADS ": "beads", "sampleType: Standard Beads": "beads", "sampleType: Normal\nrunBeads: True": "beads", "runBeads: 1": "beads", "runBeads: Yes": "beads",
		"runType: bead test": "beads test", "sampleType: Algal culture": "culture", "sampleType: Calibration": "calibration", "TestMode: true": "test",
	} {
		h, err := ifcb.ReadHeader(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(h.RunFlags(), " "); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestPosition(t *testing.T) {
	for in, want := range map[string]bool{
		"gpsLatitude: 58.25\ngpsLongitude: 11.4": true, "gpsLatitude: 58.25": false, "gpsLatitude: 0.0\ngpsLongitude: 0.0": false,
		"gpsLatitude: 91\ngpsLongitude: 1": false, "gpsLatitude: NaN\ngpsLongitude: 1": false, "": false,
	} {
		h, err := ifcb.ReadHeader(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := h.Position(); ok != want {
			t.Errorf("%q: a position: %v, want %v", in, ok, want)
		}
	}
}

// v2 makes an .adc line of a trigger with these times and, maybe, an image.
func v2(trigger int, image string, run, inhibit float64) string {
	return fmt.Sprintf("%d,1,0,0,0,0,0,0,0,0,0,0,0,%s,0,0,0,0,%g,%g\n", trigger, image, run, inhibit)
}

func TestMLAnalyzed(t *testing.T) {
	const none = "0,0,0,0,0"
	tests := []struct {
		name, lid, adc, hdr string
		want                float64 // ml, 0 for unknown
	}{
		{"no lines", "D20240501T100000_IFCB104", "", "runTime: 1200\ninhibitTime: 10\n", 0.25 * 1190 / 60},
		{"nothing", "D20240501T100000_IFCB104", "", "", 0},
		{"all zero", "D20240501T100000_IFCB104", v2(1, none, 0, 0), "runTime: 0\ninhibitTime: 0\n", 0},
		// old: 100 s at the last grab, blind 0.5 s and the shortest time once each, one trigger with two lines
		{"old", "IFCB5_2012_028_081515", "1,0,0,0,0,0,0,9,10,0,0,0,0,0,0,\n2,0,0,0,0,0,0,10.5,50,0,0,0,0,0,0,\n2,0,0,0,0,0,0,10.5,50,0,0,0,0,0,0,\n3,0,0,0,0,0,0,50.01,100,0,0,0,0,0,0,\n", "",
			(100 - 0.5 - 0.073 - 0.073) * 40 * 5 / 48000},
		{"old, faster camera", "IFCB5_2016_028_081515", "1,0,0,0,0,0,0,9,10,0,0,0,0,0,0,\n2,0,0,0,0,0,0,10.01,50,0,0,0,0,0,0,\n", "", (50 - 0.05 - 0.073) * 40 * 5 / 48000},
		{"old, across midnight", "IFCB5_2012_028_235959", "1,0,0,0,0,0,0,0,0.5,0,0,0,0,0,0,\n2,0,0,0,0,0,0,-86300,-86200,0,0,0,0,0,0,\n", "", (200 - 99.5 - 0.073) * 40 * 5 / 48000},
		{"old, empty", "IFCB5_2017_001_033645", "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin := openBin(t, tt.lid, tt.adc, tt.hdr, "")
			got, err := bin.MLAnalyzed()
			if tt.want == 0 {
				if !errors.Is(err, ifcb.ErrNoVolume) || got != 0 {
					t.Errorf("%g ml, %v", got, err)
				}
				return
			}
			if err != nil || got-tt.want > 1e-12 || tt.want-got > 1e-12 {
				t.Errorf("%.15g ml, %v, want %.15g", got, err, tt.want)
			}
		})
	}
}

func openBin(t *testing.T, lid, adc, hdr, roi string) *ifcb.Bin {
	t.Helper()
	dir := t.TempDir()
	for ext, content := range map[string]string{".adc": adc, ".hdr": hdr, ".roi": roi} {
		if err := os.WriteFile(filepath.Join(dir, lid+ext), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bin, err := ifcb.Open(filepath.Join(dir, lid+".adc"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bin.Close() })
	return bin
}

func TestStitching(t *testing.T) {
	line := func(trigger, x, y, w, h, start int) string {
		return fmt.Sprintf("%d,0,0,0,0,0,0,0,0,%d,%d,%d,%d,%d,0,\n", trigger, x, y, w, h, start)
	}
	tests := []struct {
		name, lid, adc string
		want           []string // number, size, + the second
	}{
		{"overlap by 3", "IFCB5_2012_028_081515", line(1, 0, 0, 10, 10, 0) + line(1, 7, 7, 10, 10, 100), []string{"1 17x17 +2"}},
		{"overlap by 2 is none", "IFCB5_2012_028_081515", line(1, 0, 0, 10, 10, 0) + line(1, 8, 0, 10, 10, 100), []string{"1 10x10", "2 10x10"}},
		{"another trigger", "IFCB5_2012_028_081515", line(1, 0, 0, 10, 10, 0) + line(2, 5, 5, 10, 10, 100), []string{"1 10x10", "2 10x10"}},
		{"a pair at most", "IFCB5_2012_028_081515", line(1, 0, 0, 10, 10, 0) + line(1, 5, 0, 10, 10, 100) + line(1, 10, 0, 10, 10, 200), []string{"1 15x10 +2", "3 10x10"}},
		{"over a line without image", "IFCB5_2012_028_081515", line(1, 0, 0, 10, 10, 0) + line(1, 0, 0, 0, 0, 0) + line(1, 5, 0, 10, 10, 100), []string{"1 15x10 +3"}},
		{"more than a camera has", "IFCB5_2012_028_081515", line(1, 0, 0, 1<<20, 4, 0) + line(1, 0, 0, 4, 1<<20, 0), []string{"1 1048576x4", "2 4x1048576"}},
		{"a new instrument never", "D20240501T100000_IFCB104", v2(1, "0,0,10,10,0", 1, 0) + v2(1, "5,5,10,10,100", 1, 0), []string{"1 10x10", "2 10x10"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin := openBin(t, tt.lid, tt.adc, "", strings.Repeat("x", 4<<20))
			var got []string
			for _, roi := range bin.Served() {
				w, h := roi.Size()
				text := fmt.Sprintf("%d %dx%d", roi.Number, w, h)
				if roi.Stitched() {
					text += fmt.Sprintf(" +%d", roi.Second.Number)
				}
				got = append(got, text)
				if gray, err := bin.Gray(roi); err != nil || gray.Rect.Dx() != w || gray.Rect.Dy() != h {
					t.Errorf("image of %s: %v", text, err)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Two squares that overlap at a corner: the second wins there, the gap gets the mean of its neighbours, a half rounded
// to the even value.
func TestInfill(t *testing.T) {
	adc := "1,0,0,0,0,0,0,0,0,0,0,4,4,0,0,\n1,0,0,0,0,0,0,0,0,1,1,4,4,16,0,\n"
	tests := []struct {
		name          string
		first, second byte
		want          byte
	}{
		// Neighbours of the gap's corners (4,0) and (0,4): (3,0) and (0,3) of the first, (4,1) and (1,4) of the second.
		{"half to even, down", 10, 11, 10},
		{"half to even, up", 11, 12, 12},
		{"plain", 10, 20, 15},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bin := openBin(t, "IFCB5_2012_028_081515", adc, "", strings.Repeat(string([]byte{tt.first}), 16)+strings.Repeat(string([]byte{tt.second}), 16))
			gray, err := bin.Gray(bin.Served()[0])
			if err != nil {
				t.Fatal(err)
			}
			f, s, w := tt.first, tt.second, tt.want
			want := []byte{
				f, f, f, f, w,
				f, s, s, s, s,
				f, s, s, s, s,
				f, s, s, s, s,
				w, s, s, s, s,
			}
			if !bytes.Equal(want, gray.Pix) {
				t.Errorf("pixels %v, want %v", gray.Pix, want)
			}
		})
	}
}

func TestTruncatedBin(t *testing.T) {
	adc := v2(1, "0,0,10,10,0", 1, 0) + v2(2, "0,0,10,10,100", 1, 0) + "3,1,0"
	bin := openBin(t, "D20240501T100000_IFCB104", adc, "", strings.Repeat("x", 150))
	if !errors.Is(bin.Truncated, ifcb.ErrTruncated) || len(bin.Targets) != 2 {
		t.Errorf("%d targets, %v", len(bin.Targets), bin.Truncated)
	}
	if _, err := bin.Gray(bin.Raw()[0]); err != nil {
		t.Error(err)
	}
	if _, err := bin.Gray(bin.Raw()[1]); !errors.Is(err, ifcb.ErrTruncated) || !strings.Contains(err.Error(), "target 2: bytes 100 to 200 of a .roi of 150") {
		t.Errorf("image beyond the end: %v", err)
	}
	for number, want := range map[int]string{0: "is not there", 3: "is not there", -1: "is not there"} {
		if _, err := bin.RawAt(number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("target %d: %v", number, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "D20240501T100000_IFCB104.adc")
	if err := os.WriteFile(bad, []byte("no,adc\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "a.roi"): "want the path of an .adc file", filepath.Join(dir, "a.adc"): "want a name like",
		filepath.Join(dir, "D20240501T110000_IFCB104.adc"): "no such file", bad: "bin D20240501T100000_IFCB104: adc: line 1",
	} {
		if _, err := ifcb.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"D20240501T100000_IFCB104.adc", "D20240502/D20240502T100000_IFCB104.adc", "2024/D20240503/D20240503T100000_IFCB104.adc",
		"IFCB5_2012_028/IFCB5_2012_028_081515.adc", "beads/D20240501T100000_IFCB104.adc", "a/b/c/D20240504T100000_IFCB104.adc",
		".trash/D20240505T100000_IFCB104.adc", "D20240506T100000_IFCB104.roi", "notes.adc",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := ifcb.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.ID.String())
	}
	want := []string{"IFCB5_2012_028_081515", "D20240501T100000_IFCB104", "D20240502T100000_IFCB104", "D20240503T100000_IFCB104"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := ifcb.List(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there lists")
	}
}
