package ifcb_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

const told = "images-bins"

// split separates images from what is told of bins.
func split(records []connector.SourceRecord) (images, bins []connector.SourceRecord) {
	for _, r := range records {
		if r.Topic == told {
			bins = append(bins, r)
		} else {
			images = append(images, r)
		}
	}
	return images, bins
}

// outcomes are what is told of each bin, in short.
func outcomes(t *testing.T, records []connector.SourceRecord) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range records {
		if err := connector.Validate(r.ValueSchema, r.Value); err != nil {
			t.Error(err)
		}
		get := func(name string) any { v, _ := r.Value.(*connector.Struct).Get(name); return v }
		out[r.Key.(string)] = fmt.Sprintf("%v: %v = %v + %v", get("status"), get("expected"), get("ingested"), get("failed"))
	}
	return out
}

// withTopic are the props of a source that tells of bins.
func (b *bins) withTopic(more ...string) connector.Props {
	p := b.props()
	delete(p, "bins.topic")
	for i := 0; i < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

// cutROI takes the last byte of a bin's pixels away.
func (b *bins) cutROI(t *testing.T, id ifcb.BinID) {
	t.Helper()
	roi := filepath.Join(b.dir, id.Day(), id.String()+".roi")
	info, err := os.Stat(roi)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(roi, info.Size()-1); err != nil {
		t.Fatal(err)
	}
}

func TestBinRecords(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z", "2024-05-01T10:40:00Z")
		b.cutROI(t, ids[1])
		b.remove(t, ids[2], ".roi")
		b.file(t, "D20240501T120000_IFCB901.adc", "")
		b.file(t, "D20240501T120000_IFCB901.roi", "")
		records := start(t, b.withTopic("order", "oldest"), nil).drain(t)
		images, told := split(records)
		want := map[string]string{
			ids[0].String():            "complete: 3 = 3 + 0",
			ids[1].String():            "partial: 3 = 2 + 1",
			ids[2].String():            "failed: 3 = 0 + 3",
			"D20240501T120000_IFCB901": "empty: 0 = 0 + 0",
		}
		if diff := cmp.Diff(want, outcomes(t, told)); diff != "" {
			t.Errorf("bins (-want +got):\n%s", diff)
		}
		if len(images) != 5 || records[3].Topic != "images-bins" {
			t.Errorf("%d images; the fourth record is on %s", len(images), records[3].Topic)
		}
		get := func(i int, name string) any { v, _ := told[i].Value.(*connector.Struct).Get(name); return v }
		for field, want := range map[string]any{
			"pid": ids[0].String(), "dataset": dataset, "dashboard": b.url, "ifcb_id": "IFCB901", "time": ids[0].Time().Unix(),
			"reason": nil, "latitude": 41.325, "longitude": -70.5667, "depth": nil,
		} {
			if got := get(0, field); got != want {
				t.Errorf("%s is %v, want %v", field, got, want)
			}
		}
		for i := range 3 { // the header tells the volume, whether or not there are images
			if ml, _ := get(i, "ml_analyzed").(float64); !(ml > 0) {
				t.Errorf("volume of bin %d is %v", i, get(i, "ml_analyzed"))
			}
		}
		if got := get(3, "ml_analyzed"); got != nil {
			t.Errorf("volume of the bin without header is %v, want null", got)
		}
		for i := 1; i < 3; i++ {
			if why, _ := get(i, "reason").(string); why == "" {
				t.Errorf("bin %d has no reason", i)
			}
		}
	})
}

// A restart behind any record loses none and changes no count: the bin's record comes behind its images, and the offset
// says that the bin is settled only with it.
func TestBinRecordsOfARunThatBrokeOff(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, nil)
		ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z")
		b.take(t, "2024-05-01T10:40:00Z")
		b.cutROI(t, ids[1])
		props := b.withTopic("batch.size", "1")
		whole := start(t, props, nil).drain(t)
		_, want := split(whole)
		for stop := range whole {
			offsets := new(connectortest.Offsets)
			first, _ := start(t, props, offsets).until(t, func(all []connector.SourceRecord) bool { return len(all) > stop })
			if err := offsets.Commit(first[stop]); err != nil {
				t.Fatal(err)
			}
			all := append(first[:stop+1:stop+1], start(t, props, offsets).drain(t)...)
			if diff := cmp.Diff(keys(whole), keys(all)); diff != "" {
				t.Errorf("stopped behind %d (-want +got):\n%s", stop, diff)
			}
			_, told := split(all)
			if diff := cmp.Diff(outcomes(t, want), outcomes(t, told)); diff != "" {
				t.Errorf("stopped behind %d (-want +got):\n%s", stop, diff)
			}
		}
	})
}

// A bin that gets worse while it is read is told of as what was had of it.
func TestBinGivenUpHalfway(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		gone := false
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".zip") {
				http.NotFound(w, r)
				return true
			}
			if gone && strings.HasSuffix(r.URL.Path, ".png") {
				w.WriteHeader(http.StatusInternalServerError)
				return true
			}
			return false
		})
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		s := start(t, b.withTopic("batch.size", "1"), nil)
		first, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 1 })
		if err != nil {
			t.Fatal(err)
		}
		gone = true
		_, told := split(append(first, s.drain(t)...))
		if diff := cmp.Diff(map[string]string{id.String(): "partial: 3 = 1 + 2"}, outcomes(t, told)); diff != "" {
			t.Errorf("bins (-want +got):\n%s", diff)
		}
	})
}

// A broken off table hides how many images there were.
func TestBinWithACutTable(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, without(".zip"))
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		adc := filepath.Join(b.dir, id.Day(), id.String()+".adc")
		info, err := os.Stat(adc)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(adc, info.Size()-100); err != nil {
			t.Fatal(err)
		}
		_, told := split(start(t, b.withTopic(), nil).drain(t))
		why, _ := told[0].Value.(*connector.Struct).Get("reason")
		if got := outcomes(t, told)[id.String()]; !strings.HasPrefix(got, "partial: ") || !strings.Contains(fmt.Sprint(why), "truncated") {
			t.Errorf("%s because %v", got, why)
		}
	})
}

func TestBinsTopic(t *testing.T) {
	tests := []struct {
		name  string
		props []string
		topic string // of the bin's record; empty for none
		plain bool
	}{
		{"avro", nil, "images-bins", false},
		{"avro, named", []string{"bins.topic", "ledger"}, "ledger", false},
		{"avro, off", []string{"bins.topic", ""}, "", false},
		{"json", []string{"format", "json"}, "", true},
		{"json, named", []string{"format", "json", "bins.topic", "ledger"}, "ledger", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBins(t, dashboard.Options{Generation: 2}, nil)
			id := b.take(t, "2024-05-01T10:00:00Z")[0]
			records := start(t, b.withTopic(tt.props...), nil).drain(t)
			last := records[len(records)-1]
			if tt.topic == "" {
				if len(records) != 3 || last.Topic != "images" {
					t.Errorf("%d records, the last on %s", len(records), last.Topic)
				}
				return
			}
			if len(records) != 4 || last.Topic != tt.topic || last.Key != id.String() {
				t.Fatalf("%d records, the last on %s is %v", len(records), last.Topic, last.Key)
			}
			if !tt.plain {
				if last.ValueSchema != source.BinSchema {
					t.Errorf("schema %v", last.ValueSchema)
				}
				return
			}
			value := last.Value.(map[string]any)
			for field, want := range map[string]any{"pid": id.String(), "status": "complete", "expected": int32(3), "reason": nil} {
				if value[field] != want {
					t.Errorf("%s is %v, want %v", field, value[field], want)
				}
			}
			if _, ok := value["updated"].(int64); !ok || last.ValueSchema != nil {
				t.Errorf("updated is %T, schema %v", value["updated"], last.ValueSchema)
			}
		})
	}
}
