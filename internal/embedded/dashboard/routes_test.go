package dashboard_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// entriesOf reads a zip: its entries' names in order, and their content.
func entriesOf(t *testing.T, data []byte) (names []string, content map[string][]byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	content = map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if content[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		in.Close()
		names = append(names, f.Name)
	}
	return names, content
}

func grey(t *testing.T, kind string, data []byte) *image.Gray {
	t.Helper()
	decode := map[string]func(io.Reader) (image.Image, error){"image/png": png.Decode, "image/jpeg": jpeg.Decode}[kind]
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	gray, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("a %T, want 8-bit grey", img)
	}
	return gray
}

// checkImage: the image of the second line of the plain bin, 8 x 4 px of 0x80.
func checkImage(t *testing.T, s site, path, kind string) {
	t.Helper()
	status, got, body, _ := s.get(path)
	if status != http.StatusOK || got != kind {
		t.Fatalf("%s: %d %s", path, status, got)
	}
	gray := grey(t, kind, body)
	if gray.Rect.Dx() != 8 || gray.Rect.Dy() != 4 || gray.GrayAt(3, 2) != (color.Gray{Y: 0x80}) {
		t.Errorf("%s: %v, %v", path, gray.Rect, gray.GrayAt(3, 2))
	}
}

// checkRaw: a raw file is what lies in the folder, byte by byte.
func checkRaw(t *testing.T, s site, dir, prefix string, attached bool) {
	t.Helper()
	for ext, kind := range map[string]string{"adc": "text/csv", "hdr": "text/plain", "roi": "application/octet-stream"} {
		want, err := os.ReadFile(filepath.Join(dir, "2024/D20240501", plain+"."+ext))
		if err != nil {
			t.Fatal(err)
		}
		status, got, body, header := s.get(prefix + plain + "." + ext)
		if status != http.StatusOK || got != kind || !bytes.Equal(body, want) {
			t.Errorf("%s: %d %s, %d bytes, want %d", ext, status, got, len(body), len(want))
		}
		disposition := ""
		if attached {
			disposition = "attachment; filename=" + plain + "." + ext
		}
		if header.Get("Content-Disposition") != disposition {
			t.Errorf("%s: Content-Disposition %q, want %q", ext, header.Get("Content-Disposition"), disposition)
		}
	}
}

// checkEmptyZip: an empty bin has a zip as well, without images, with status 200.
func checkEmptyZip(t *testing.T, s site, path string, want []string) {
	t.Helper()
	status, kind, body, _ := s.get(path)
	if status != http.StatusOK || kind != "application/zip" {
		t.Fatalf("%s: %d %s", path, status, kind)
	}
	if names, _ := entriesOf(t, body); !cmp.Equal(want, names) {
		t.Errorf("%s: %v, want %v", path, names, want)
	}
}

const elsewhere = "http://elsewhere.example"

var shortOfPlain = object{
	"SoftwareVersion": 2.0, "temperature": 11.5, "humidity": 30.0, "runTime": 60.0, "inhibitTime": 0.2, "gpsLatitude": 41.5, "gpsLongitude": -70.5,
	"sampleType": "Normal", "date": "2024-05-01T10:00:00Z", "pid": elsewhere + "/pier/" + plain,
}

// The routes of generation 1 that a source uses, each with what it answers. The feeds are in TestGeneration1Feeds too.
func TestRoutesOfGeneration1(t *testing.T) {
	dir := folder(t)
	s := serve(t, dashboard.Options{Dir: dir, Generation: 1, BaseURL: elsewhere})
	entry := func(lid, date string) any { return object{"pid": elsewhere + "/pier/" + lid, "date": date} }
	for path, want := range map[string]any{
		"/pier/feed.json": []any{
			entry(blind, "2024-05-02T10:00:00Z"), entry(midnight, "2024-05-02T00:00:00Z"),
			entry(plain, "2024-05-01T10:00:00Z"), entry(cut, "2012-01-28T08:15:15Z"),
		},
		"/pier/api/feed/day/2024-05-01":     []any{entry(plain, "2024-05-01T10:00:00Z"), entry(midnight, "2024-05-02T00:00:00Z")},
		"/pier/api/feed/day/2024-05-02":     []any{entry(midnight, "2024-05-02T00:00:00Z"), entry(blind, "2024-05-02T10:00:00Z")},
		"/pier/api/feed/nearest/2000-01-01": entry(cut, "2012-01-28T08:15:15Z"),
		"/pier/" + plain + "_short.json":    shortOfPlain,
	} {
		if diff := cmp.Diff(want, s.json(path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	checkRaw(t, s, dir, "/pier/", false)
	checkImage(t, s, "/pier/"+plain+"_00002.png", "image/png")
	checkImage(t, s, "/pier/"+plain+"_00002.jpg", "image/jpeg")
	checkEmptyZip(t, s, "/pier/"+midnight+".zip", []string{midnight + ".csv", midnight + ".xml"})

	status, kind, body, _ := s.get("/pier/" + plain + ".zip")
	if status != http.StatusOK || kind != "application/zip" {
		t.Fatalf("zip: %d %s", status, kind)
	}
	names, content := entriesOf(t, body)
	if diff := cmp.Diff([]string{plain + ".csv", plain + ".xml", plain + "_00002.png", plain + "_00003.png"}, names); diff != "" {
		t.Errorf("zip (-want +got):\n%s", diff)
	}
	wantTable := "trigger,processingEndTime,pmtA,pmtB,pmtC,pmtD,peakA,peakB,peakC,peakD,timeOfFlight,grabTimeStart,grabTimeEnd,bottom,left,height,width,byteOffset," +
		"comparatorOut,startPoint,signalLength,status,runTime,inhibitTime,binID,pid,stitched,targetNumber\n"
	for i, rest := range []string{"1" + v2First + "0,0,0,0,0,0,0,0,0,30,0.1", "2" + v2Second + "5,6,8,4,0,0,0,0,0,60,0.2", "2" + v2Second + "50,60,16,2,32,0,0,0,0,60,0.2"} {
		wantTable += fmt.Sprintf("%s,%s/pier/%s,%s/pier/%s_%05d,0,%d\n", rest, elsewhere, plain, elsewhere, plain, i+1, i+1)
	}
	if diff := cmp.Diff(wantTable, string(content[plain+".csv"])); diff != "" {
		t.Errorf("table with its header line (-want +got):\n%s", diff)
	}
	if gray := grey(t, "image/png", content[plain+"_00003.png"]); gray.Rect.Dx() != 16 || gray.Rect.Dy() != 2 {
		t.Errorf("an image's width is the ROI's: %v", gray.Rect)
	}
	if !strings.Contains(string(content[plain+".xml"]), "<pid>"+elsewhere+"/pier/"+plain+"</pid>") {
		t.Errorf("%s", content[plain+".xml"])
	}
}

// The routes of generation 2 that a source uses, each with what it answers.
func TestRoutesOfGeneration2(t *testing.T) {
	dir := folder(t)
	s := serve(t, dashboard.Options{Dir: dir, Generation: 2, BaseURL: elsewhere, ListBins: true})
	for path, want := range map[string]any{
		"/api/list_datasets":                object{"datasets": []any{"pier"}},
		"/api/list_images/" + plain:         object{"images": []any{2.0, 3.0}},
		"/api/list_images/" + cut:           object{"images": []any{1.0, 2.0}},
		"/api/list_images/" + midnight:      object{"images": []any{}},
		"/pier/" + plain + "_short.json":    shortOfPlain,
		"/pier/" + midnight + "_short.json": object{"date": "2024-05-02T00:00:00Z", "pid": elsewhere + "/pier/" + midnight},
		"/pier/api/feed/temperature/start/2024-05-01/end/2024-05-02": []any{ // its dates end in Z, those of the others in +00:00
			object{"pid": elsewhere + "/pier/" + plain, "date": "2024-05-01T10:00:00Z", "temperature": 11.5},
			object{"pid": elsewhere + "/pier/" + midnight, "date": "2024-05-02T00:00:00Z", "temperature": nil},
		},
		"/pier/api/feed/humidity/start/2024-05-02/end/2024-05-03": []any{
			object{"pid": elsewhere + "/pier/" + midnight, "date": "2024-05-02T00:00:00Z", "humidity": nil},
			object{"pid": elsewhere + "/pier/" + blind, "date": "2024-05-02T10:00:00Z", "humidity": 30.0},
		},
		"/api/bin/" + plain: object{
			"lid": plain, "timestamp_iso": "2024-05-01T10:00:00+00:00", "instrument": "IFCB104", "num_triggers": 2.0, "num_images": 2.0,
			"ml_analyzed": "0.2 ml", "lat": 41.5, "lng": -70.5, "depth": nil, "size": 64.0, "datasets": []any{"pier"}, "primary_dataset": "pier",
			"tags": []any{}, "comments": []any{}, "skip": false, "sample_type": "", "cruise": "", "previous_bin_id": cut, "next_bin_id": midnight,
			"has_blobs": false, "has_features": false, "has_class_scores": false, "concentration": "8.0 ROIs/ml",
		},
		"/api/list_bins?dataset=pier&end_date=2024-05-01": object{"data": []any{
			object{"pid": cut, "sample_time": "2012-01-28T08:15:15+00:00", "skip": false},
			object{"pid": plain, "sample_time": "2024-05-01T10:00:00+00:00", "skip": false},
		}},
	} {
		if diff := cmp.Diff(want, s.json(path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	recent := s.json("/api/most_recent_bin?dataset=pier").(object)
	if recent["pid"] != blind || recent["timestamp"] != "2024-05-02T10:00:00+00:00" {
		t.Errorf("most_recent_bin: %v", recent)
	}
	status, kind, body, header := s.get("/api/export_metadata/pier?start_date=2024-05-01&end_date=2024-05-01")
	wantCSV := "dataset,pid,sample_time,ifcb,ml_analyzed,latitude,longitude,depth,cruise,cast,niskin,sample_type,n_images,comment_summary,trigger_selection,skip\n" +
		"pier," + plain + ",2024-05-01 10:00:00+00:00,104,0.24916666666666665,41.5,-70.5,,,,,Normal,2,,,0\n" +
		"pier," + midnight + ",2024-05-02 00:00:00+00:00,104,,,,,,,,,0,,,0\n"
	if diff := cmp.Diff(wantCSV, string(body)); diff != "" || status != http.StatusOK || kind != "text/csv" || header.Get("Content-Disposition") == "" {
		t.Errorf("export_metadata: %d %s %q (-want +got):\n%s", status, kind, header.Get("Content-Disposition"), diff)
	}
	for _, prefix := range []string{"/data/", "/pier/"} {
		checkRaw(t, s, dir, prefix, true)
		checkImage(t, s, prefix+plain+"_00002.png", "image/png")
		checkImage(t, s, prefix+plain+"_2.png", "image/png")
		checkImage(t, s, prefix+plain+"_00002.jpg", "image/jpeg")
		checkEmptyZip(t, s, prefix+midnight+".zip", []string{"metadata.json", midnight + "_headers.json", midnight + ".csv"})
		status, kind, body, header := s.get(prefix + plain + ".zip")
		if status != http.StatusOK || kind != "application/zip" || header.Get("Content-Disposition") != "attachment; filename="+plain+".zip" {
			t.Fatalf("zip: %d %s %q", status, kind, header.Get("Content-Disposition"))
		}
		checkZip2(t, dir, body)
	}
	for _, path := range []string{"/data/" + plain + ".exe", "/data/D20990101T000000_IFCB104.zip", "/other/" + plain + ".zip", "/pier/feed.json", "/api/bin/whale"} {
		if status, kind, body, _ := s.get(path); status != http.StatusNotFound || kind != "text/html" || !bytes.Contains(body, []byte("<h1>Not Found</h1>")) {
			t.Errorf("%s: %d %s", path, status, kind)
		}
	}
}

func checkZip2(t *testing.T, dir string, body []byte) {
	t.Helper()
	names, content := entriesOf(t, body)
	if diff := cmp.Diff([]string{"metadata.json", plain + "_headers.json", plain + ".csv", plain + "_00002.png", plain + "_00003.png"}, names); diff != "" {
		t.Errorf("zip (-want +got):\n%s", diff)
	}
	headers := object{}
	for key, value := range shortOfPlain {
		if key != "date" && key != "pid" {
			headers[key] = value
		}
	}
	for name, want := range map[string]object{
		"metadata.json": {"lid": plain, "schema": 2.0, "timestamp": "2024-05-01T10:00:00+00:00"}, plain + "_headers.json": headers,
	} {
		var got object
		if err := json.Unmarshal(content[name], &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	adc, err := os.ReadFile(filepath.Join(dir, "2024/D20240501", plain+".adc"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(adc, content[plain+".csv"]) {
		t.Errorf("the table is not the .adc without a header line: %s", content[plain+".csv"])
	}
}

// withNotes marks bins of the folder as people do.
func withNotes(t *testing.T) string {
	t.Helper()
	dir := folder(t)
	notes := "pid,skip,tag1,tag2,depth,latitude,longitude,cruise\n" +
		blind + ",1,beads,,,,,\n" + plain + ",0,test,beads,4.5,58.25,11.5,AE2401\n" + cut + ",,test,,,,,\n"
	if err := os.WriteFile(filepath.Join(dir, dashboard.NotesFile), []byte(notes), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func lids(v any) []string {
	out := []string{}
	for _, entry := range v.([]any) {
		pid := entry.(object)["pid"].(string)
		out = append(out, pid[strings.LastIndexByte(pid, '/')+1:])
	}
	return out
}

func TestSkipsAndTagsOfGeneration1(t *testing.T) {
	s := serve(t, dashboard.Options{Dir: withNotes(t), Generation: 1})
	for path, want := range map[string][]string{
		"/pier/feed.json": {midnight, plain, cut}, "/pier:test/feed.json": {plain, cut}, "/pier:test:beads/feed.json": {plain},
		"/pier/api/feed/day/2024-05-02": {midnight}, "/pier/api/feed/day_skip/2024-05-02": {midnight, blind},
		"/pier:beads/api/feed/day/2024-05-02": {}, "/pier:beads/api/feed/day_skip/2024-05-02": {blind},
	} {
		if diff := cmp.Diff(want, lids(s.json(path))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	for i, entry := range s.json("/pier/api/feed/day_skip/2024-05-02").([]any) {
		if want := i == 1; entry.(object)["skip"] != want {
			t.Errorf("day_skip: %v, want skip %v", entry, want)
		}
	}
	for path, want := range map[string]string{"/pier/api/feed/nearest/2030-01-01": midnight, "/pier:test/api/feed/nearest/2030-01-01": plain} {
		if got := lids([]any{s.json(path)})[0]; got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if status, _, _, _ := s.get("/pier:test/" + plain + ".zip"); status != http.StatusOK { // a label with tags stands in any address
		t.Errorf("zip by a label with tags: %d", status)
	}
}

func TestSkipsAndTagsOfGeneration2(t *testing.T) {
	s := serve(t, dashboard.Options{Dir: withNotes(t), Generation: 2, ListBins: true})
	for query, want := range map[string][]string{
		"": {plain, midnight, blind, cut}, "?include_skip=false": {plain, midnight, cut}, "?include_skip=true": {plain, midnight, blind, cut},
		"?tags=beads": {plain, blind}, "?tags=beads,test": {plain}, "?tags=beads&include_skip=false": {plain},
		"?instrument=5": {cut}, "?cruise=AE2401": {plain},
	} {
		_, _, body, _ := s.get("/api/export_metadata/pier" + query)
		rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, row := range rows[1:] {
			got = append(got, row[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	_, _, body, _ := s.get("/api/export_metadata/?tags=beads")
	want := "pid,sample_time,ifcb,ml_analyzed,latitude,longitude,depth,cruise,cast,niskin,sample_type,n_images,tag1,tag2,comment_summary,trigger_selection,skip\n" +
		plain + ",2024-05-01 10:00:00+00:00,104,0.24916666666666665,58.25,11.5,4.5,AE2401,,,Normal,2,beads,test,,,0\n" +
		blind + ",2024-05-02 10:00:00+00:00,104,0.24916666666666665,41.5,-70.5,,,,,Normal,2,beads,,,,1\n"
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Errorf("columns of tags (-want +got):\n%s", diff)
	}
	if status, kind, _, _ := s.get("/api/export_metadata/pier?tags=whales"); status != http.StatusNotFound || kind != "text/html" {
		t.Errorf("no bin has the tag: %d %s", status, kind)
	}
	details := s.json("/api/bin/" + plain).(object)
	for key, want := range map[string]any{"tags": []any{"beads", "test"}, "skip": false, "depth": 4.5, "lat": 58.25, "lng": 11.5, "cruise": "AE2401", "next_bin_id": midnight} {
		if !cmp.Equal(want, details[key]) {
			t.Errorf("bin: %s is %v, want %v", key, details[key], want)
		}
	}
	if details := s.json("/api/bin/" + midnight).(object); details["next_bin_id"] != "" {
		t.Errorf("a bin to skip is the next one: %v", details["next_bin_id"])
	}
	if details := s.json("/api/bin/" + blind).(object); details["skip"] != true || details["previous_bin_id"] != midnight {
		t.Errorf("a bin to skip: %v", details)
	}
	if recent := s.json("/api/most_recent_bin?dataset=pier").(object); recent["pid"] != midnight {
		t.Errorf("most recent: %v", recent)
	}
	if got := lids(s.json("/pier/api/feed/temperature/start/2024-05-02/end/2024-05-03")); !cmp.Equal([]string{midnight}, got) {
		t.Errorf("temperature: %v", got)
	}
	for query, want := range map[string][]string{"": {cut, plain, midnight, blind}, "&skip_filter=exclude": {cut, plain, midnight}, "&skip_filter=only": {blind}} {
		if got := lids(s.json("/api/list_bins?dataset=pier" + query).(object)["data"]); !cmp.Equal(want, got) {
			t.Errorf("list_bins %s: %v, want %v", query, got, want)
		}
	}
	if _, kind, body, _ := s.get("/api/list_bins?dataset=pier&skip_filter=only&format=csv"); kind != "text/csv" || string(body) != "pid,sample_time,skip\n"+blind+",2024-05-02T10:00:00+00:00,true\n" {
		t.Errorf("list_bins as CSV: %s\n%s", kind, body)
	}
}

func TestBadNotes(t *testing.T) {
	for text, want := range map[string]string{
		"": "no column pid", "bin,skip\n": "no column pid", "pid,skip\nwhale,1\n": "line 2: bin name", "pid,skip\n" + plain + ",maybe\n": `line 2: skip: "maybe"`,
		"pid,skip\n" + plain + "\n": "wrong number of fields",
	} {
		dir := folder(t)
		if err := os.WriteFile(filepath.Join(dir, dashboard.NotesFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := dashboard.New(dashboard.Options{Dir: dir, Generation: 2}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
