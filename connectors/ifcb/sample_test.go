package ifcb_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// fieldsOf are some fields of each record of a topic, by key.
func fieldsOf(records []connector.SourceRecord, names ...string) map[string][]any {
	all := map[string][]any{}
	for _, r := range records {
		value := r.Value.(*connector.Struct)
		for _, name := range names {
			v, _ := value.Get(name)
			all[r.Key.(string)] = append(all[r.Key.(string)], v)
		}
	}
	return all
}

// raw writes a bin of a new instrument with four images, of which lines are changed, and an .hdr.
func (b *bins) raw(t *testing.T, lid, header string, change ...string) {
	t.Helper()
	var adc strings.Builder
	for i := range 4 {
		at := 10 * float64(i+1)
		fmt.Fprintf(&adc, "%d,%g,0.5,0.25,0.125,0.0625,1,0.5,0.1,0.1,55,%g,%g,800,700,8,4,%d,0,0,0,0,%g,%g\n", i+1, at, at, at+0.042, 32*i, at+0.022, 0.086*float64(i))
	}
	b.file(t, lid+".adc", strings.NewReplacer(change...).Replace(adc.String()))
	b.file(t, lid+".roi", strings.Repeat("\x80", 128))
	b.file(t, lid+".hdr", header)
}

const rawLid = "D20260201T000000_IFCB134"

// What the header says of position and depth, and how old a fix is, in a folder.
func TestPositionOfAHeader(t *testing.T) {
	gps := "gpsLatitude: 58.25983722\ngpsLongitude: 11.43537362\n"
	fixed := func(at string) string { return gps + "gpsTimeFromFix: " + at + "\n" }
	tests := []struct {
		name, header, age string
		want              []any // latitude, longitude, depth
		reason            string
	}{
		{"GPS", gps, "", []any{58.25983722, 11.43537362, nil}, ""},
		{"a logger beside it", gps + "latitude: 44.4291\nlongitude: -68.1967\ndepth: 3.2\n", "", []any{44.4291, -68.1967, 3.2}, ""},
		{"the logger has no fix", gps + "latitude: -9999\nlongitude: -9999\ndepth: -9999\n", "", []any{58.25983722, 11.43537362, nil}, ""},
		{"fill values", "gpsLatitude: -9999999\ngpsLongitude: -9999999\n", "", []any{nil, nil, nil}, ""},
		{"a new fix", fixed("Jan/31/2026 23:59:00.00 UTC"), "", []any{58.25983722, 11.43537362, nil}, ""},
		{"a fix of a year ago", fixed("Jan/01/2025 16:17:39.00 UTC"), "", []any{nil, nil, nil}, "the header's GPS fix is 395 days from the sample, the limit is 24h0m0s"},
		{"a fix of a year ago, of one that never moves", fixed("Jan/01/2025 16:17:39.00 UTC"), "-1", []any{58.25983722, 11.43537362, nil}, ""},
		{"the age that the header tells", gps + "ageOfFix: 100000\n", "", []any{nil, nil, nil}, "the header's GPS fix is 27h46m40s from the sample"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBins(t, dashboard.Options{Generation: 2}, nil)
			b.raw(t, rawLid, "runTime: 1200\ninhibitTime: 0.35\n"+tt.header)
			props := b.folderProps("bins.topic", told)
			if tt.age != "" {
				props["position.max.age.ms"] = tt.age
			}
			images, bins := split(start(t, props, nil).drain(t))
			for _, records := range [][]connector.SourceRecord{images[:1], bins} {
				if diff := cmp.Diff([][]any{tt.want}, values(fieldsOf(records, "latitude", "longitude", "depth"))); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			if why := fieldsOf(bins, "position_reason")[rawLid][0]; !strings.Contains(fmt.Sprint(why), tt.reason) || (tt.reason == "") != (why == nil) {
				t.Errorf("reason %v, want %s", why, tt.reason)
			}
		})
	}
}

func values(m map[string][]any) (all [][]any) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// A number of the dashboard's that stands for "unknown", or cannot be, replaces none of the header's.
func TestNumbersOfADashboard(t *testing.T) {
	tests := []struct {
		name, answer string
		want         []any // latitude, longitude, depth, position_source
	}{
		{"its own", `"lat": 41.3, "lng": -70.5, "depth": 2`, []any{41.3, -70.5, 2., "dashboard"}},
		{"as texts", `"lat": "41.3", "lng": "-70.5", "depth": "2 m"`, []any{41.3, -70.5, 2., "dashboard"}},
		{"null", `"lat": null, "lng": null, "depth": null`, []any{58.25983722, 11.43537362, 4.5, "header"}},
		{"fill values", `"lat": -9999999, "lng": -9999999, "depth": -9999999`, []any{58.25983722, 11.43537362, 4.5, "header"}},
		{"other fill values", `"lat": -9999.0, "lng": -9999.0, "depth": -999`, []any{58.25983722, 11.43537362, 4.5, "header"}},
		{"half a position", `"lat": 41.3, "lng": -999, "depth": 2`, []any{58.25983722, 11.43537362, 2., "header"}},
		{"no place", `"lat": 0, "lng": 0, "depth": 99999`, []any{58.25983722, 11.43537362, 4.5, "header"}},
		{"another form", `"lat": [1], "lng": {}, "depth": true`, []any{58.25983722, 11.43537362, 4.5, "header"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasPrefix(r.URL.Path, "/api/bin/") {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"lid": %q, "ml_analyzed": "-9999999.0 ml", %s}`, rawLid, tt.answer)
				return true
			})
			b.raw(t, rawLid, "runTime: 1200\ninhibitTime: 0.35\ngpsLatitude: 58.25983722\ngpsLongitude: 11.43537362\ndepth: 4.5\n")
			_, bins := split(start(t, b.withTopic(), nil).drain(t))
			if diff := cmp.Diff(tt.want, fieldsOf(bins, "latitude", "longitude", "depth", "position_source")[rawLid]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A header that is not to be had for a while is asked for again; one that never is costs no images.
func TestHeaderThatIsNotToBeHad(t *testing.T) {
	for failures, want := range map[int][]any{1: {"complete", 20., "beads"}, 1000: {"complete", nil, nil}} {
		asked := 0
		b := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, ".hdr") {
				return strings.HasPrefix(r.URL.Path, "/api/bin/") && missing(w, r)
			}
			if asked++; asked > failures {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		})
		b.raw(t, rawLid, "runTime: 1200\ninhibitTime: 0.35\ntemperature: 20\nsampleType: Beads\n")
		images, bins := split(start(t, b.withTopic("bin.attempts", "3", "sample.types", "normal,beads"), nil).drain(t))
		if diff := cmp.Diff(want, fieldsOf(bins, "status", "temperature", "run_flags")[rawLid]); diff != "" || len(images) != 4 {
			t.Errorf("%d failures: %d images (-want +got):\n%s", failures, len(images), diff)
		}
	}
}

func missing(w http.ResponseWriter, r *http.Request) bool {
	http.NotFound(w, r)
	return true
}

// A header that a server calls a page is read all the same.
func TestHeaderCalledAPage(t *testing.T) {
	const header = "runTime: 1200\ninhibitTime: 0.35\ntemperature: 20\n"
	b := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, ".hdr") {
			return false
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, header)
		return true
	})
	b.raw(t, rawLid, header)
	_, bins := split(start(t, b.withTopic(), nil).drain(t))
	if diff := cmp.Diff([]any{20.}, fieldsOf(bins, "temperature")[rawLid]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The volume that only the dashboard knows counts, if a syringe can hold it.
func TestVolumeOfADashboard(t *testing.T) {
	for said, want := range map[string][]any{
		`"4.9 ml"`: {4.9, "dashboard"}, `"-9999999.0 ml"`: {nil, nil}, `"37.5 ml"`: {nil, nil}, `0`: {nil, nil}, `null`: {nil, nil},
	} {
		b := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/api/bin/") {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"lid": %q, "ml_analyzed": %s}`, rawLid, said)
			return true
		})
		b.file(t, rawLid+".adc", "")
		b.file(t, rawLid+".roi", "")
		_, bins := split(start(t, b.withTopic(), nil).drain(t))
		if diff := cmp.Diff(want, fieldsOf(bins, "ml_analyzed", "ml_analyzed_source")[rawLid]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", said, diff)
		}
	}
}

// Sensors' numbers that cannot be are null, and the clock is compared with the name.
func TestRunFacts(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	b.raw(t, rawLid, "sampleTime: 2026-02-01T00:01:30Z\nrunTime: 1200\ninhibitTime: 0.35\ntemperature: -9999\nhumidity: 37.5\nrunSampleFast: 1\n")
	images, bins := split(start(t, b.folderProps("bins.topic", told), nil).drain(t))
	want := []any{nil, "fast", nil, 37.5, 1200., 90., nil}
	for _, records := range [][]connector.SourceRecord{images[:1], bins} {
		got := values(fieldsOf(records, "sample_type", "run_flags", "temperature", "humidity", "run_time", "clock_offset", "url"))
		if diff := cmp.Diff([][]any{want}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]any{"adc", "the header alone gives 4.999 ml"}, fieldsOf(bins, "ml_analyzed_source", "ml_analyzed_reason")[rawLid]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A spoiled line costs its image, and the bin's record names it; a spoiled photomultiplier's value is null.
func TestSpoiledLines(t *testing.T) {
	const second = "2,20,0.5,0.25"
	tests := []struct {
		name   string
		change []string
		want   string
		reason string
	}{
		{"blank photomultiplier", []string{second, "2,20,,0.25"}, "complete: 4 = 4 + 0", ""},
		{"Windows' NaN", []string{second, "2,20,-1.#IND00,0.25"}, "complete: 4 = 4 + 0", ""},
		{"NaN size", []string{"8,4,32,", "NaN,NaN,32,"}, "partial: 4 = 3 + 1", "adc: line 2: column 16"},
		{"blank size", []string{"8,4,32,", ",,,"}, "partial: 4 = 3 + 1", "adc: line 2: column 16"},
		{"negative offset", []string{"8,4,32,", "8,4,-1,"}, "partial: 4 = 3 + 1", "adc: line 2: column 18"},
		{"short line", []string{"8,4,32,0,0,0,0,20.022,0.086", ""}, "partial: 4 = 3 + 1", "adc: line 2: 15 columns"},
		{"empty line at the end", []string{"40.022,0.258\n", "40.022,0.258\n\n\n"}, "complete: 4 = 4 + 0", ""},
	}
	for _, place := range []string{"folder", "dashboard"} {
		for _, tt := range tests {
			t.Run(place+", "+tt.name, func(t *testing.T) {
				b := newBins(t, dashboard.Options{Generation: 2}, nil)
				b.raw(t, rawLid, "runTime: 1200\ninhibitTime: 0.35\nroiCount: 4\nFileComment: "+strings.Repeat("x", 70_000)+"\n", tt.change...)
				props := b.withTopic()
				if place == "folder" {
					props = b.folderProps("bins.topic", told)
				}
				images, bins := split(start(t, props, nil).drain(t))
				if got := outcomes(t, bins)[rawLid]; got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
				why := fieldsOf(bins, "reason")[rawLid][0]
				if !strings.Contains(fmt.Sprint(why), tt.reason) || (tt.reason == "") != (why == nil) {
					t.Errorf("reason %v, want %s", why, tt.reason)
				}
				pmt := fieldsOf(images, "pmt_a")[rawLid+"_00002"]
				if spoilt := strings.HasPrefix(tt.change[0], second); spoilt && pmt[0] != nil || len(images) == 4 && !spoilt && pmt[0] != 0.5 {
					t.Errorf("photomultiplier A %v", pmt)
				}
			})
		}
	}
}

// Bins of which a file never comes are told of, with the reason, and a run that is to end ends: old ones at once, new
// ones when they have stayed the same.
func TestFolderIncompleteBins(t *testing.T) {
	for _, old := range []bool{true, false} {
		t.Run(fmt.Sprintf("old %v", old), func(t *testing.T) {
			b := newBins(t, dashboard.Options{Generation: 2}, nil)
			for _, ext := range []string{".adc", ".hdr", ".roi"} {
				lid := map[string]string{".adc": "D20260201T000000_IFCB134", ".hdr": "D20260201T010000_IFCB134", ".roi": "D20260201T020000_IFCB134"}[ext]
				b.raw(t, lid, "runTime: 1200\ninhibitTime: 0.35\n")
				b.removeFlat(t, lid+ext)
			}
			if old {
				b.age(t, "", time.Now().Add(-2*time.Hour))
			}
			_, bins := split(start(t, b.folderProps("bins.topic", told, "folder.settle.ms", "20"), nil).drain(t))
			want := map[string]string{
				"D20260201T000000_IFCB134": "failed: <nil> = 0 + 0",
				"D20260201T010000_IFCB134": "complete: 4 = 4 + 0",
				"D20260201T020000_IFCB134": "failed: 4 = 0 + 4",
			}
			if diff := cmp.Diff(want, outcomes(t, bins)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for lid, reason := range map[string]string{"D20260201T000000_IFCB134": "its table is not there", "D20260201T020000_IFCB134": "its images are not there"} {
				if why := fieldsOf(bins, "reason")[lid][0]; !strings.Contains(fmt.Sprint(why), reason) {
					t.Errorf("%s: reason %v", lid, why)
				}
			}
		})
	}
}

// What is waited for is said once.
func TestFolderSaysWhatItWaitsFor(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	b.raw(t, rawLid, "runTime: 1200\ninhibitTime: 0.35\n")
	b.removeFlat(t, rawLid+".roi")
	var said bytes.Buffer
	s, c := new(source.Source), connectortest.Context(t)
	c.Log = slog.New(slog.NewTextHandler(&said, nil))
	props := b.folderProps("mode", "follow", "nbins", "-1", "folder.settle.ms", "3600000")
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a poll waits for nothing
	for range 3 {
		if _, err := s.Poll(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(said.String(), "bin is waited for"); n != 1 || !strings.Contains(said.String(), "they must stay the same for the 1h0m0s of folder.settle.ms") {
		t.Errorf("said %d times:\n%s", n, &said)
	}
}

// Runs that look at no sample of the water say so, and can be left out by their type.
func TestSampleTypes(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, nil)
	lids := map[string]string{"normal": "D20260201T000000_IFCB134", "beads": "D20260201T010000_IFCB134", "flag": "D20260201T020000_IFCB134",
		"culture": "D20260201T030000_IFCB134", "unknown": "D20260201T040000_IFCB134"}
	for name, header := range map[string]string{"normal": "sampleType: Normal\n", "beads": "sampleType: Beads\nrunBeads: True\n",
		"flag": "sampleType: Normal\nrunBeads: True\n", "culture": "runType: Lab culture\n", "unknown": ""} {
		b.raw(t, lids[name], header)
	}
	tests := []struct {
		types string
		want  []string // whose images come
	}{
		{"", []string{"normal", "beads", "flag", "culture", "unknown"}},
		{"normal,!beads", []string{"normal", "unknown"}},
		{"Beads", []string{"beads", "flag"}},
		{"!bead,!culture", []string{"normal", "unknown"}},
		{"lab culture", []string{"culture"}},
	}
	for _, tt := range tests {
		t.Run(tt.types, func(t *testing.T) {
			for place, props := range map[string]connector.Props{"folder": b.folderProps("bins.topic", told), "dashboard": b.withTopic()} {
				props["sample.types"] = tt.types
				images, bins := split(start(t, props, nil).drain(t))
				want := map[string]string{}
				for _, lid := range lids {
					want[lid] = "skipped: <nil> = 0 + 0"
				}
				for _, name := range tt.want {
					want[lids[name]] = "complete: 4 = 4 + 0"
				}
				if diff := cmp.Diff(want, outcomes(t, bins)); diff != "" || len(images) != 4*len(tt.want) {
					t.Errorf("%s: %d images (-want +got):\n%s", place, len(images), diff)
				}
				flags := fieldsOf(bins, "sample_type", "run_flags")
				for name, want := range map[string][]any{"normal": {"Normal", nil}, "beads": {"Beads", "beads"}, "flag": {"Normal", "beads"}, "culture": {"Lab culture", "culture"}, "unknown": {nil, nil}} {
					if diff := cmp.Diff(want, flags[lids[name]]); diff != "" {
						t.Errorf("%s: %s (-want +got):\n%s", place, name, diff)
					}
				}
			}
		})
	}
}
