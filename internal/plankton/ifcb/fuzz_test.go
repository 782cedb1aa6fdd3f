package ifcb_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

func FuzzReadADC(f *testing.F) {
	f.Add(v1Line+"\n", 1)
	f.Add(v2Line+"\n"+v2Line, 2)
	f.Add("trigger,x\n1,2", 2)
	f.Fuzz(func(t *testing.T, in string, schema int) {
		targets, err := ifcb.ReadADC(strings.NewReader(in), ifcb.Schema(schema))
		for _, target := range targets {
			if target.Width < 0 || target.Height < 0 || target.StartByte < 0 {
				t.Fatalf("%+v, %v", target, err)
			}
		}
		if _, err := ifcb.ReadTable(strings.NewReader(in), ifcb.Schema(schema)); err != nil {
			return
		}
		id, _ := ifcb.NewBinID(5, ifcb.BinID{}.Time())
		bin := ifcb.NewBin(id, targets, ifcb.Header{}, strings.NewReader("0123456789"), 10)
		for _, roi := range bin.Served() {
			if w, h := roi.Size(); w > 1000 || h > 1000 {
				continue
			}
			_, _ = bin.Gray(roi)
		}
		if ml, err := bin.MLAnalyzed(); err == nil && !(ml > 0) {
			t.Fatalf("%g ml", ml)
		}
	})
}

func FuzzReadHeader(f *testing.F) {
	f.Add("runTime: 1\n\"a b\"\n\"1\",\"2\"\n")
	f.Add("run time = 1 s inhibit time = 2 s")
	f.Fuzz(func(t *testing.T, in string) {
		h, err := ifcb.ReadHeader(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, key := range h.Keys() {
			if _, ok := h.Get(key); !ok {
				t.Fatalf("key %q has no value", key)
			}
		}
	})
}

func FuzzParseBinID(f *testing.F) {
	f.Add("D20190728T212639_IFCB104")
	f.Add("http://x/IFCB5_2012_028_081515")
	f.Fuzz(func(t *testing.T, in string) {
		id, err := ifcb.ParseBinID(in)
		if err != nil {
			return
		}
		if again, err := ifcb.ParseBinID(id.String()); err != nil || again != id {
			t.Fatalf("%q: %v, %v", in, again, err)
		}
	})
}

func FuzzOpenArchive(f *testing.F) {
	f.Add(zipOf(f, zip.Store, entry{zipLid + "_00002.png", pngOf(f, 8, 4)}, entry{zipLid + ".csv", v2Line + "\n"}))
	f.Add(zipOf(f, zip.Deflate, entry{zipLid + "_00002.png", hugePNG(f)}))
	id, err := ifcb.ParseBinID(zipLid)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ifcb.OpenArchive(bytes.NewReader(data), int64(len(data)), id)
		if err != nil {
			return
		}
		for _, img := range a.Images() {
			if data, _, _, err := a.PNG(img); err == nil && len(data) > ifcb.MaxPNG {
				t.Fatal("too large")
			}
		}
		_, _ = a.Targets()
	})
}

// FuzzArchiveEntry puts anything under any name into an archive that is well formed: what comes out of it is what went
// in, and only what is named like an image of the bin is one.
func FuzzArchiveEntry(f *testing.F) {
	f.Add(zipLid+"_00002.png", []byte(pngOf(f, 8, 4)), true)
	f.Add(zipLid+"_2.png", []byte(hugePNG(f)), false)
	f.Add(zipLid+".csv", []byte(v2Line+"\n"), true)
	f.Add("../"+zipLid+"_00003.png", []byte("x"), false)
	id, err := ifcb.ParseBinID(zipLid)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, content []byte, deflate bool) {
		method := zip.Store
		if deflate {
			method = zip.Deflate
		}
		if len(name) > 1<<16-1 || strings.HasSuffix(name, "/") && len(content) > 0 {
			return // the writer refuses it
		}
		data := zipOf(t, method, entry{name, string(content)})
		a, err := ifcb.OpenArchive(bytes.NewReader(data), int64(len(data)), id)
		if err != nil {
			return
		}
		for _, img := range a.Images() {
			if !strings.HasPrefix(name, zipLid+"_") || strings.Contains(name, "/") {
				t.Fatalf("%q is image %d", name, img.Number)
			}
			if got, _, _, err := a.PNG(img); err == nil && !bytes.Equal(got, content) {
				t.Fatalf("%d bytes went in, %d came out", len(content), len(got))
			}
		}
		_, _ = a.Targets()
	})
}

// FuzzImages reads the images of a bin whose lines and pixels are anything: an image has the size that its ROI tells,
// raw and stitched alike, or is an error.
func FuzzImages(f *testing.F) {
	f.Add("1,0,0,0,0,0,0,0,0,0,0,4,4,0,0,\n1,0,0,0,0,0,0,0,0,1,1,4,4,16,0,\n", []byte("0123456789abcdef0123456789abcdef"), true)
	f.Add(v2(1, "0,0,3,2,0", 1, 0)+v2(1, "1,1,3,2,6", 1, 0)+"2,1", []byte("0123456789"), false)
	f.Fuzz(func(t *testing.T, adc string, roi []byte, old bool) {
		number := 104
		if old {
			number = 5
		}
		id, err := ifcb.NewBinID(number, ifcb.BinID{}.Time())
		if err != nil {
			t.Fatal(err)
		}
		targets, _ := ifcb.ReadADC(strings.NewReader(adc), id.Schema())
		bin := ifcb.NewBin(id, targets, ifcb.Header{}, bytes.NewReader(roi), int64(len(roi)))
		for _, roi := range append(bin.Raw(), bin.Served()...) {
			w, h := roi.Size()
			if w*h > 1<<20 { // two small images can span a large canvas
				continue
			}
			gray, err := bin.Gray(roi)
			if err == nil && (gray.Rect.Dx() != w || gray.Rect.Dy() != h || len(gray.Pix) != w*h) {
				t.Fatalf("target %d of %d x %d px has an image %v", roi.Number, w, h, gray.Rect)
			}
		}
	})
}

func FuzzCheckPNG(f *testing.F) {
	f.Add([]byte(pngOf(f, 8, 4)))
	f.Add([]byte(hugePNG(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, h, err := ifcb.CheckPNG(data)
		if err == nil && (w <= 0 || h <= 0 || w*h > 1<<26) {
			t.Fatalf("%d x %d px", w, h)
		}
	})
}
