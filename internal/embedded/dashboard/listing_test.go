package dashboard_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// Who has a list already is told so, until it changes.
func TestConditionalRequests(t *testing.T) {
	for generation, paths := range map[int][]string{
		1: {"/pier/feed.json", "/pier/api/feed/day/2024-05-01"},
		2: {"/api/list_bins?dataset=pier", "/api/export_metadata/pier", "/pier/api/feed/temperature/start/2024-05-01/end/2024-05-02"},
	} {
		dir := folder(t)
		long := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(filepath.Join(dir, midnight+".adc"), long, long); err != nil {
			t.Fatal(err)
		}
		for _, lid := range []string{plain, blind} {
			if err := os.Chtimes(filepath.Join(dir, "2024", lid[:9], lid+".adc"), long, long); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(filepath.Join(dir, "IFCB5_2012_028", cut+".adc"), long, long); err != nil {
			t.Fatal(err)
		}
		s := serve(t, dashboard.Options{Dir: dir, Generation: generation, ListBins: true})
		ask := func(path, key, value string) int {
			t.Helper()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set(key, value)
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			return answer.StatusCode
		}
		tags := map[string]string{}
		for _, path := range paths {
			_, _, _, header := s.get(path)
			tags[path] = header.Get("ETag")
			if modified := header.Get("Last-Modified"); modified != "Sat, 01 Jun 2024 00:00:00 GMT" {
				t.Errorf("%s: Last-Modified %q", path, modified)
			}
			if status := ask(path, "If-None-Match", tags[path]); status != http.StatusNotModified {
				t.Errorf("%s: %d for the same tag", path, status)
			}
			if status := ask(path, "If-Modified-Since", "Sat, 01 Jun 2024 00:00:00 GMT"); status != http.StatusNotModified {
				t.Errorf("%s: %d for the same date", path, status)
			}
		}
		another := filepath.Join(dir, "D20240501T110000_IFCB104.adc")
		if err := os.WriteFile(another, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		soon := time.Now().Add(time.Hour) // younger than any limit, however slow the test is
		if err := os.Chtimes(another, soon, soon); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if status := ask(path, "If-None-Match", tags[path]); status != http.StatusOK {
				t.Errorf("%s: %d after another bin came", path, status)
			}
			if _, _, _, header := s.get(path); header.Get("Last-Modified") != "" {
				t.Errorf("%s: a date of %s though another bin may come within it", path, header.Get("Last-Modified"))
			}
		}
	}
}

// Bins of the future are neither the newest ones nor in the feed of those.
func TestBinsOfTheFuture(t *testing.T) {
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, "D20990101T000000_IFCB104.adc"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := lids(serve(t, dashboard.Options{Dir: dir, Generation: 1}).json("/pier/feed.json")); got[0] != blind {
		t.Errorf("feed.json: %v", got)
	}
	if recent := serve(t, dashboard.Options{Dir: dir, Generation: 2}).json("/api/most_recent_bin?dataset=pier").(object); recent["pid"] != blind {
		t.Errorf("most_recent_bin: %v", recent)
	}
}
