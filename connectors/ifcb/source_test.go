package ifcb_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

func TestSuite(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		var away atomic.Bool
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, _ *http.Request) bool {
			if !away.Load() {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		})
		b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z", "2024-05-03T00:00:00Z")
		connectortest.Source(t, connectortest.SourceCase{
			New: func() connector.Source { return new(source.Source) }, Props: b.props("batch.size", "2"), Want: 9,
			Break: func() func() { away.Store(true); return func() { away.Store(false) } },
		})
	})
}

func TestRecord(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation, BaseURL: "https://behind.a.proxy.example"}, nil)
		id := b.take(t, "2019-07-28T21:26:39Z")[0]
		records := start(t, b.props(), nil).drain(t)
		if diff := cmp.Diff(b.imagesOf(t, id), keys(records)); diff != "" {
			t.Fatalf("keys (-want +got):\n%s", diff)
		}
		bin, err := ifcb.Open(filepath.Join(b.dir, id.Day(), id.String()+".adc"))
		if err != nil {
			t.Fatal(err)
		}
		defer bin.Close()
		volume, err := bin.MLAnalyzed()
		if err != nil {
			t.Fatal(err)
		}
		for i, roi := range bin.Served() {
			value := records[i].Value.(*connector.Struct)
			gray, err := bin.Gray(roi)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]any{}
			for _, f := range source.ImageSchema.Fields() {
				got[f.Name], _ = value.Get(f.Name)
			}
			decoded, err := png.Decode(bytes.NewReader(got["image"].([]byte)))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(decoded.(*image.Gray).Pix, gray.Pix) {
				t.Errorf("pixels of %d differ", roi.Number)
			}
			delete(got, "image")
			want := map[string]any{
				"pid": id.String(), "ifcb_id": "IFCB901", "time": int64(1564349199), "roi": int32(roi.Number),
				"width": int32(roi.Width), "height": int32(roi.Height), "dataset": dataset, "ml_analyzed": volume,
				"latitude": 41.325, "longitude": -70.5667, "depth": nil,
				"pmt_a": roi.Light[0], "pmt_b": roi.Light[1], "pmt_c": roi.Light[2], "pmt_d": roi.Light[3],
				"sample_type": "Normal", "run_flags": nil, "temperature": number(t, bin.Header, "temperature"), "humidity": number(t, bin.Header, "humidity"),
				"run_time": number(t, bin.Header, "runTime"), "clock_offset": nil,
				"url": fmt.Sprintf("%s/%s/%s_%05d.png", b.url, map[int]string{1: dataset, 2: "data"}[generation], id, roi.Number),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("record %d (-want +got):\n%s", i, diff)
			}
		}
	})
}

// number is the value of a header's key.
func number(t *testing.T, h ifcb.Header, key string) float64 {
	t.Helper()
	v, ok := h.Float(key)
	if !ok {
		t.Fatalf("the header has no %s", key)
	}
	return v
}

// The original's tools read this form.
func TestJSONFormat(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 1}, nil)
	b.take(t, "2019-07-28T21:26:39Z")
	records := start(t, b.props("format", "json"), nil).drain(t)
	value := records[0].Value.(map[string]any)
	if records[0].ValueSchema != nil {
		t.Error("the value has a schema")
	}
	data, err := base64.StdEncoding.DecodeString(value["image"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	delete(value, "image")
	number, err := ifcb.ParseTargetID(records[0].Key.(string))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"ifcb_id": "IFCB901", "datetime": int64(1564349199), "roi": int64(number.Number)}
	if diff := cmp.Diff(want, value); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTimeIsUTCInEveryZone(t *testing.T) {
	local := time.Local
	time.Local = time.FixedZone("somewhere", -7*3600)
	t.Cleanup(func() { time.Local = local })
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	b.take(t, "2019-07-28T21:26:39Z")
	got, _ := start(t, b.props(), nil).drain(t)[0].Value.(*connector.Struct).Get("time")
	if got != int64(1564349199) {
		t.Errorf("time %v, want 1564349199", got)
	}
}

func TestWhichBinsInWhichOrder(t *testing.T) {
	times := []string{"2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z", "2024-05-02T00:00:00Z", "2024-05-20T12:00:00Z"}
	for i := range 26 { // more than a feed lists
		times = append(times, fmt.Sprintf("2024-06-01T00:%02d:00Z", i))
	}
	tests := []struct {
		name  string
		props []string
		want  func(ids []ifcb.BinID) []ifcb.BinID // ids are oldest first
	}{
		{"newest 2, newest first", []string{"nbins", "2"}, func(ids []ifcb.BinID) []ifcb.BinID { return reversed(ids[28:]) }},
		{"newest 2, oldest first", []string{"nbins", "2", "order", "oldest"}, func(ids []ifcb.BinID) []ifcb.BinID { return ids[28:] }},
		{"newest 28: beyond the feed, over a gap", []string{"nbins", "28"}, func(ids []ifcb.BinID) []ifcb.BinID { return reversed(ids[2:]) }},
		{"more than there are", []string{"nbins", "100"}, func(ids []ifcb.BinID) []ifcb.BinID { return reversed(ids) }},
		{"all, oldest first", []string{"nbins", "-1"}, func(ids []ifcb.BinID) []ifcb.BinID { return ids }},
		{"station: oldest 3, one at midnight", []string{"nbins", "3", "start.from", "oldest"}, func(ids []ifcb.BinID) []ifcb.BinID { return ids[:3] }},
		{"none of the past", []string{"nbins", "0"}, func([]ifcb.BinID) []ifcb.BinID { return nil }},
	}
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, times...)
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				records := start(t, b.props(tt.props...), nil).drain(t)
				if diff := cmp.Diff(b.imagesOf(t, tt.want(ids)...), keys(records)); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func reversed(ids []ifcb.BinID) []ifcb.BinID {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}

func TestFollow(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z")
		props := b.props("mode", "follow", "poll.interval.ms", "100", "nbins", "1")
		offsets := new(connectortest.Offsets)
		s := start(t, props, offsets)
		want := b.imagesOf(t, ids[1])
		var got []connector.SourceRecord
		more := func() {
			t.Helper()
			records, err := s.until(t, func(all []connector.SourceRecord) bool { return len(got)+len(all) >= len(want) })
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, records...)
			if diff := cmp.Diff(want, keys(got)); diff != "" {
				t.Fatalf("keys (-want +got):\n%s", diff)
			}
		}
		more()
		want = append(want, b.imagesOf(t, b.take(t, "2024-05-01T10:40:00Z")...)...)
		more()

		// While the source is down for long, more bins come than a feed lists: none is missed, the old one not taken.
		if err := offsets.Commit(got[len(got)-1]); err != nil {
			t.Fatal(err)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		var missed []ifcb.BinID
		for i := range 30 {
			missed = append(missed, b.take(t, fmt.Sprintf("2024-05-0%dT12:%02d:00Z", 2+i%3, i))...)
		}
		slices.SortFunc(missed, func(x, y ifcb.BinID) int { return y.Time().Compare(x.Time()) })
		want, got = b.imagesOf(t, missed...), nil
		s = start(t, props, offsets)
		more()
	})
}

// A restart at any image goes on behind it, whatever the order: no image twice, none left out.
func TestResumesAtEveryImage(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		for _, order := range []string{"newest", "oldest"} {
			t.Run(order, func(t *testing.T) {
				b := newBins(t, dashboard.Options{Generation: generation}, nil)
				b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z", "2024-05-02T10:00:00Z")
				props := b.props("batch.size", "1", "order", order)
				want := keys(start(t, props, nil).drain(t))
				for stop := range want {
					offsets := new(connectortest.Offsets)
					first, _ := start(t, props, offsets).until(t, func(all []connector.SourceRecord) bool { return len(all) > stop })
					if err := offsets.Commit(first[stop]); err != nil {
						t.Fatal(err)
					}
					rest := start(t, props, offsets).drain(t)
					if diff := cmp.Diff(want, append(keys(first), keys(rest)...)); diff != "" {
						t.Errorf("stopped behind %d (-want +got):\n%s", stop, diff)
					}
				}
			})
		}
	})
}

func TestRunTwiceAddsNothing(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		for _, from := range []string{"newest", "oldest"} {
			b := newBins(t, dashboard.Options{Generation: generation}, nil)
			b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z")
			offsets := new(connectortest.Offsets)
			first := start(t, b.props("start.from", from), offsets).drain(t)
			if err := offsets.Commit(first[len(first)-1]); err != nil {
				t.Fatal(err)
			}
			if again := start(t, b.props("start.from", from), offsets).drain(t); len(again) != 0 {
				t.Errorf("from %s: the second run gives %v", from, keys(again))
			}
		}
	})
}

// Bins that no run asked for are not taken for settled when later runs ask for those on both sides of them.
func TestRunsWithAGapBetween(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	offsets := new(connectortest.Offsets)
	seen := map[string]bool{}
	run := func(more int, nbins string) {
		t.Helper()
		for range more {
			at = at.Add(10 * time.Minute)
			b.take(t, at.Format(time.RFC3339))
		}
		for _, r := range start(t, b.props("nbins", nbins, "order", "oldest"), offsets).drain(t) {
			seen[r.Key.(string)] = true
			if err := offsets.Commit(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(10, "10")
	run(125, "105") // leaves 20 out
	run(0, "-1")
	if len(seen) != 3*135 {
		t.Errorf("%d of %d images", len(seen), 3*135)
	}
}

func TestOldBinIsStitched(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		b.addOld(t)
		records := start(t, b.props(), nil).drain(t)
		if diff := cmp.Diff([]string{"IFCB5_2012_028_081515_00001", "IFCB5_2012_028_081515_00002"}, keys(records)); diff != "" {
			t.Fatalf("keys (-want +got):\n%s", diff)
		}
		value := records[1].Value.(*connector.Struct)
		for field, want := range map[string]any{"pid": "IFCB5_2012_028_081515", "ifcb_id": "IFCB5", "width": int32(26), "height": int32(11), "pmt_a": nil} {
			if got, _ := value.Get(field); got != want {
				t.Errorf("%s is %v, want %v", field, got, want)
			}
		}
	})
}

// A bin whose images the dashboard does not have is reported as failed, and the others come all the same.
func TestBinWithoutImagesFails(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z", "2024-05-01T10:40:00Z")
		b.remove(t, ids[1], ".roi")
		s := start(t, b.props(), nil)
		if diff := cmp.Diff(b.imagesOf(t, ids[2], ids[0]), keys(s.drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		if failed, done := s.metrics.Value("ifcb_bins_failed_total"), s.metrics.Value("ifcb_bins_total"); failed != 1 || done != 2 {
			t.Errorf("%v bins failed, %v done, want 1 and 2", failed, done)
		}
	})
}

// A dashboard shows a bin before all of its files have arrived: it is tried again.
func TestBinThatArrivesLate(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		roi := filepath.Join(b.dir, id.Day(), id.String()+".roi")
		data, err := os.ReadFile(roi)
		if err != nil {
			t.Fatal(err)
		}
		b.remove(t, id, ".roi")
		s := start(t, b.props("bin.attempts", "1000"), nil)
		if records, err := s.Poll(t.Context()); err != nil || len(records) > 0 {
			t.Fatalf("%v, %v", records, err)
		}
		if err := os.WriteFile(roi, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b.imagesOf(t, id), keys(s.drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// An empty bin's zip has no image; the images that a cut-off .roi lacks are counted, the others come.
func TestEmptyAndTruncatedBins(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		b.file(t, "D20240501T120000_IFCB901.adc", "")
		b.file(t, "D20240501T120000_IFCB901.roi", "")
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		want := b.imagesOf(t, id)
		roi := filepath.Join(b.dir, id.Day(), id.String()+".roi")
		info, err := os.Stat(roi)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(roi, info.Size()-1); err != nil {
			t.Fatal(err)
		}
		s := start(t, b.props(), nil)
		if diff := cmp.Diff(want[:2], keys(s.drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		if lost, done := s.metrics.Value("ifcb_images_failed_total"), s.metrics.Value("ifcb_bins_total"); lost != 1 || done != 2 {
			t.Errorf("%v images lost, %v bins done, want 1 and 2", lost, done)
		}
	})
}
