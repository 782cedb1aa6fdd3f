package dashboard_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

const (
	cut      = "IFCB5_2012_028_081515"    // an old bin, targets 2 and 3 are one particle
	plain    = "D20240501T100000_IFCB104" // two images, lines 2 and 3
	midnight = "D20240502T000000_IFCB104" // empty
	blind    = "D20240502T100000_IFCB104" // no .roi
)

// What follows the number of a trigger 0 and 30 s after the first one's, up to its image.
const (
	v2First  = ",30,0.2,0.3,0.4,0.5,1,2,3,4,50,0.1,0.2,"
	v2Second = ",60,0.2,0.3,0.4,0.5,1,2,3,4,50,0.1,0.2,"
)

// folder writes the bins that the routes are asked about.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("IFCB5_2012_028/"+cut+".adc",
		"1,.3,.1,.1,.1,.1,.1,0,.2,10,20,8,4,1,-.2,\n"+
			"2,.4,.1,.1,.1,.1,.1,.3,.35,100,50,16,8,33,-.2,\n"+
			"2,.4,.1,.1,.1,.1,.1,.3,.35,110,53,16,8,161,-.2,\n")
	write("IFCB5_2012_028/"+cut+".roi", strings.Repeat("\xc8", 400))
	adc := "1" + v2First + "0,0,0,0,0,0,0,0,0,30,0.1\n" + "2" + v2Second + "5,6,8,4,0,0,0,0,0,60,0.2\n" + "2" + v2Second + "50,60,16,2,32,0,0,0,0,60,0.2\n"
	for _, lid := range []string{plain, blind} {
		write("2024/"+lid[:9]+"/"+lid+".adc", adc)
		write("2024/"+lid[:9]+"/"+lid+".hdr", "SoftwareVersion: 2\ntemperature: 11.5\nhumidity: 30\nrunTime: 60.0\ninhibitTime: 0.2\ngpsLatitude: 41.5\ngpsLongitude: -70.5\nsampleType: Normal\n")
	}
	write("2024/D20240501/"+plain+".roi", strings.Repeat("\x80", 64))
	write(midnight+".adc", "")
	write(midnight+".roi", "")
	write("notes.txt", "not a bin")
	return dir
}

type site struct {
	t   *testing.T
	url string
}

func serve(t *testing.T, o dashboard.Options) site {
	t.Helper()
	if o.Dir == "" {
		o.Dir = folder(t)
	}
	o.Dataset = "pier"
	handler, err := dashboard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return site{t, server.URL}
}

// get gives status, media type and body of a path.
func (s site) get(path string) (int, string, []byte, http.Header) {
	s.t.Helper()
	answer, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return answer.StatusCode, kind, body, answer.Header
}

func (s site) json(path string) any {
	s.t.Helper()
	status, kind, body, _ := s.get(path)
	if status != http.StatusOK || kind != "application/json" {
		s.t.Fatalf("%s: %d %s", path, status, kind)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

type object = map[string]any

func TestPageOfTheDataset(t *testing.T) {
	for _, generation := range []int{1, 2} {
		s := serve(t, dashboard.Options{Generation: generation})
		status, kind, body, _ := s.get("/pier/")
		if status != http.StatusOK || kind != "text/html" || !strings.Contains(string(body), `<a href="`+plain+`.adc">adc</a>`) {
			t.Errorf("generation %d: %d %s\n%s", generation, status, kind, body)
		}
		if status, _, _, _ := s.get("/other/"); status != http.StatusNotFound {
			t.Errorf("generation %d: another dataset: %d, want 404", generation, status)
		}
	}
}

func TestGeneration1Feeds(t *testing.T) {
	s := serve(t, dashboard.Options{Generation: 1, BaseURL: "http://elsewhere.example/"})
	entry := func(lid, date string) any {
		return object{"pid": "http://elsewhere.example/pier/" + lid, "date": date}
	}
	entryCut, entryPlain := entry(cut, "2012-01-28T08:15:15Z"), entry(plain, "2024-05-01T10:00:00Z")
	entryMidnight, entryBlind := entry(midnight, "2024-05-02T00:00:00Z"), entry(blind, "2024-05-02T10:00:00Z")
	skipped := entry(blind, "2024-05-02T10:00:00Z").(object)
	skipped["skip"] = false
	tests := []struct {
		name, path string
		want       any
	}{
		{"newest first", "/pier/feed.json", []any{entryBlind, entryMidnight, entryPlain, entryCut}},
		{"tags that no bin has", "/pier:beads:test/feed.json", []any{}},
		{"day, midnight at its end", "/pier/api/feed/day/2024-05-01", []any{entryPlain, entryMidnight}},
		{"day, midnight at its start", "/pier/api/feed/day/2024-05-02", []any{entryMidnight, entryBlind}},
		{"day by a time of it", "/pier/api/feed/day/2024-05-01T13:00:00Z", []any{entryPlain, entryMidnight}},
		{"day without", "/pier/api/feed/day/2020-01-01", []any{}},
		{"nearest to a time before all", "/pier/api/feed/nearest/2000-01-01", entryCut},
		{"nearest to a time after all", "/pier/api/feed/nearest/2030-01-01", entryBlind},
		{"nearest: one ahead in the window wins", "/pier/api/feed/nearest/2024-05-01T22:00:00", entryBlind},
		{"nearest: none ahead in the window", "/pier/api/feed/nearest/2024-05-01T10:00:01", entryPlain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, s.json(tt.path)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.path, diff)
			}
		})
	}
	if skip := s.json("/pier/api/feed/day_skip/2024-05-02").([]any); !cmp.Equal(skip[1], any(skipped)) {
		t.Errorf("day_skip: %v", skip)
	}
}

func TestGeneration2API(t *testing.T) {
	s := serve(t, dashboard.Options{Generation: 2, ListBins: true})
	if diff := cmp.Diff(object{"datasets": []any{"pier"}}, s.json("/api/list_datasets")); diff != "" {
		t.Error(diff)
	}
	recent := s.json("/api/most_recent_bin?dataset=pier").(object)
	if since := time.Since(time.Date(2024, 5, 2, 10, 0, 0, 0, time.UTC)).Seconds(); recent["time_since"].(float64) > since || recent["time_since"].(float64) < since-60 {
		t.Errorf("time_since %v, want about %v", recent["time_since"], since)
	}
	delete(recent, "time_since")
	if diff := cmp.Diff(object{"pid": blind, "timestamp": "2024-05-02T10:00:00+00:00", "temperature": 11.5, "humidity": 30.0}, recent); diff != "" {
		t.Errorf("most_recent_bin (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(object{"images": []any{1.0, 2.0}}, s.json("/api/list_images/"+cut)); diff != "" {
		t.Errorf("list_images (-want +got):\n%s", diff)
	}
	details := s.json("/api/bin/" + plain + "?dataset=pier").(object)
	for key, want := range map[string]any{
		"timestamp_iso": "2024-05-01T10:00:00+00:00", "instrument": "IFCB104", "num_triggers": 2.0, "num_images": 2.0, "ml_analyzed": "0.2 ml",
		"lat": 41.5, "lng": -70.5, "depth": nil, "previous_bin_id": cut, "next_bin_id": midnight, "primary_dataset": "pier", "has_blobs": false,
	} {
		if !cmp.Equal(details[key], want) {
			t.Errorf("bin: %s is %v, want %v", key, details[key], want)
		}
	}
	feed := s.json("/pier/api/feed/temperature/start/2024-05-01/end/2024-05-02").([]any)
	want := []any{
		object{"pid": s.url + "/pier/" + plain, "date": "2024-05-01T10:00:00Z", "temperature": 11.5},
		object{"pid": s.url + "/pier/" + midnight, "date": "2024-05-02T00:00:00Z", "temperature": nil},
	}
	if diff := cmp.Diff(want, feed); diff != "" {
		t.Errorf("temperature (-want +got):\n%s", diff)
	}
	list := s.json("/api/list_bins?dataset=pier&start_date=2024-05-01&end_date=2024-05-01").(object)
	if diff := cmp.Diff([]any{object{"pid": plain, "sample_time": "2024-05-01T10:00:00+00:00", "skip": false}}, list["data"]); diff != "" {
		t.Errorf("list_bins (-want +got):\n%s", diff)
	}
}

func TestExportMetadata(t *testing.T) {
	s := serve(t, dashboard.Options{Generation: 2})
	tests := []struct {
		name, path string
		want       []string // pids
		first      string   // column
	}{
		{"all, by pid", "/api/export_metadata/pier", []string{plain, midnight, blind, cut}, "dataset"},
		{"no dataset, no such column", "/api/export_metadata/", []string{plain, midnight, blind, cut}, "pid"},
		{"a day, its end included", "/api/export_metadata/pier?start_date=2024-05-02&end_date=2024-05-02", []string{midnight, blind}, "dataset"},
		{"to a day, the midnight behind it included", "/api/export_metadata/pier?end_date=2024-05-01", []string{plain, midnight, cut}, "dataset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, kind, body, header := s.get(tt.path)
			if status != http.StatusOK || kind != "text/csv" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
				t.Fatalf("%d %s %v", status, kind, header)
			}
			rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			if rows[0][0] != tt.first {
				t.Errorf("first column %s, want %s", rows[0][0], tt.first)
			}
			column, pids := map[string]int{}, []string{}
			for i, name := range rows[0] {
				column[name] = i
			}
			for _, row := range rows[1:] {
				pids = append(pids, row[column["pid"]])
			}
			if diff := cmp.Diff(tt.want, pids); diff != "" {
				t.Errorf("pids (-want +got):\n%s", diff)
			}
		})
	}
	if status, _, _, _ := s.get("/api/export_metadata/pier?start_date=2025-01-01"); status != http.StatusNotFound {
		t.Errorf("no bin in the period: %d, want 404", status)
	}
}

// Raw files, images, sizes and short forms are the same in both generations, but for their addresses.
func TestBinRoutes(t *testing.T) {
	for generation, prefixes := range map[int][]string{1: {"/pier/"}, 2: {"/data/", "/pier/"}} {
		s := serve(t, dashboard.Options{Generation: generation, BaseURL: "http://elsewhere.example"})
		for _, prefix := range prefixes {
			for path, want := range map[string]string{
				plain + ".adc": "text/csv", plain + ".hdr": "text/plain", plain + ".roi": "application/octet-stream",
				plain + ".zip": "application/zip", plain + "_00002.png": "image/png", plain + "_3.png": "image/png",
				plain + "_00002.jpg": "image/jpeg", cut + "_00002.png": "image/png", plain + "_short.json": "application/json",
				cut + ".zip": "application/zip", midnight + ".zip": "application/zip", blind + ".adc": "text/csv",
			} {
				status, kind, body, header := s.get(prefix + path)
				if status != http.StatusOK || kind != want || len(body) == 0 {
					t.Errorf("generation %d: %s%s: %d %s, %d bytes", generation, prefix, path, status, kind, len(body))
				}
				saved := header.Get("Content-Disposition") != ""
				if isFile := !strings.Contains(path, "_0") && !strings.Contains(path, "_3") && !strings.Contains(path, "short"); isFile && saved != (generation == 2) {
					t.Errorf("generation %d: %s: Content-Disposition %q", generation, path, header.Get("Content-Disposition"))
				}
			}
			for _, path := range []string{
				plain + "_00001.png", plain + "_00009.png", cut + "_00003.png", blind + ".zip", blind + "_00002.png", blind + ".roi",
				"D20990101T000000_IFCB104.zip", "D20990101T000000_IFCB104_00001.png", "whale.zip", plain + "_blob.zip", plain + ".exe",
			} {
				status, kind, _, _ := s.get(prefix + path)
				if wantKind := map[int]string{1: "text/plain", 2: "text/html"}[generation]; status != http.StatusNotFound || kind != wantKind {
					t.Errorf("generation %d: %s%s: %d %s, want 404 %s", generation, prefix, path, status, kind, wantKind)
				}
			}
		}
		sizes := s.json("/pier/" + cut + "_roisizes")
		want := object{"targetNumber": []any{1.0, 2.0}, "height": []any{8.0, 26.0}, "width": []any{4.0, 11.0},
			"pid": []any{"http://elsewhere.example/pier/" + cut + "_00001", "http://elsewhere.example/pier/" + cut + "_00002"}}
		if diff := cmp.Diff(any(want), sizes); diff != "" {
			t.Errorf("generation %d: roisizes, height and width exchanged (-want +got):\n%s", generation, diff)
		}
		short := s.json("/pier/" + plain + "_short.json").(object)
		if short["temperature"] != 11.5 || short["date"] != "2024-05-01T10:00:00Z" || short["pid"] != "http://elsewhere.example/pier/"+plain {
			t.Errorf("generation %d: short %v", generation, short)
		}
	}
}

func TestAbsentRoutes(t *testing.T) {
	for generation, paths := range map[int][]string{
		1: {"/api/list_datasets", "/api/most_recent_bin?dataset=pier", "/data/" + plain + ".zip", "/other/feed.json", "/other/" + plain + ".zip", "/"},
		2: {"/pier/feed.json", "/pier/api/feed/day/2024-05-01", "/pier/api/feed/nearest/2000-01-01", "/api/list_bins?dataset=pier",
			"/api/most_recent_bin?dataset=other", "/other/" + plain + ".zip", "/api/bin/D20990101T000000_IFCB104", "/api/bin/whale",
			"/api/bin/" + plain + "?dataset=other", "/pier/api/feed/pressure/start/2024-05-01/end/2024-05-02", "/"},
	} {
		s := serve(t, dashboard.Options{Generation: generation})
		for _, path := range paths {
			if status, _, _, _ := s.get(path); status != http.StatusNotFound {
				t.Errorf("generation %d: %s: %d, want 404", generation, path, status)
			}
		}
	}
}

func TestZipForms(t *testing.T) {
	tests := []struct {
		generation int
		method     uint16
		entries    []string
		metadata   any
	}{
		{1, zip.Deflate, []string{cut + ".csv", cut + ".xml", cut + "_00001.png", cut + "_00002.png"}, nil},
		{2, zip.Store, []string{"metadata.json", cut + "_headers.json", cut + ".csv", cut + "_00001.png", cut + "_00002.png"},
			object{"lid": cut, "schema": 1.0, "timestamp": "2012-01-28T08:15:15+00:00"}},
	}
	for _, tt := range tests {
		s := serve(t, dashboard.Options{Generation: tt.generation})
		_, _, body, _ := s.get(map[int]string{1: "/pier/", 2: "/data/"}[tt.generation] + cut + ".zip")
		z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
			if f.Method != tt.method {
				t.Errorf("generation %d: %s has method %d, want %d", tt.generation, f.Name, f.Method, tt.method)
			}
			if sizesBehind := f.Flags&0x8 != 0; tt.generation == 2 && sizesBehind {
				t.Errorf("%s: the entry's own header lacks its size", f.Name)
			}
		}
		if diff := cmp.Diff(tt.entries, names); diff != "" {
			t.Errorf("generation %d (-want +got):\n%s", tt.generation, diff)
		}
		if tt.metadata != nil {
			in, err := z.Open("metadata.json")
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if err := json.NewDecoder(in).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.metadata, got); diff != "" {
				t.Errorf("metadata.json (-want +got):\n%s", diff)
			}
		}
		id, _ := ifcb.ParseBinID(cut)
		archive, err := ifcb.OpenArchive(bytes.NewReader(body), int64(len(body)), id)
		if err != nil {
			t.Fatal(err)
		}
		targets, err := archive.Targets()
		if err != nil {
			t.Fatal(err)
		}
		// Generation 1's table shows the stitched pair as one target, generation 2's is the .adc.
		want := map[int][]string{1: {"1 8x4", "2 26x11"}, 2: {"1 8x4", "2 16x8", "3 16x8"}}[tt.generation]
		var got []string
		for _, target := range targets {
			got = append(got, fmt.Sprintf("%d %dx%d", target.Number, target.Width, target.Height))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("generation %d: table (-want +got):\n%s", tt.generation, diff)
		}
	}
}

func TestBadRequests(t *testing.T) {
	s := serve(t, dashboard.Options{Generation: 1})
	if status, _, _, _ := s.get("/pier/api/feed/day/yesterday"); status != http.StatusBadRequest {
		t.Errorf("bad day: %d, want 400", status)
	}
	answer, err := http.Post(s.url+"/pier/feed.json", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode < 400 {
		t.Errorf("POST: %d", answer.StatusCode)
	}
}

func TestBadOptions(t *testing.T) {
	dir := t.TempDir()
	for name, o := range map[string]dashboard.Options{
		"generation": {Dir: dir, Generation: 3}, "no folder": {Dir: filepath.Join(dir, "no"), Generation: 1},
		"dataset": {Dir: dir, Generation: 1, Dataset: "a/b"}, "reserved": {Dir: dir, Generation: 2, Dataset: "api"},
	} {
		if _, err := dashboard.New(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
