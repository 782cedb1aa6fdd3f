package ifcb_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// The real bins: 52 served ROIs of six complete bins, two empty ones, three without a .roi, which fail.
func TestRealBins(t *testing.T) {
	data := os.Getenv("HYDRAULICS_IFCB_DATA")
	if data == "" {
		t.Skip("HYDRAULICS_IFCB_DATA is not set: no real bins to read")
	}
	each(t, func(t *testing.T, generation int) {
		handler, err := dashboard.New(dashboard.Options{Dir: filepath.Join(data, "bins"), Generation: generation, Dataset: dataset})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		b := &bins{url: server.URL}
		s := start(t, b.props("nbins", "-1"), nil)
		perBin := map[string]int{}
		for _, r := range s.drain(t) {
			pid, _ := r.Value.(*connector.Struct).Get("pid")
			perBin[pid.(string)]++
		}
		want := map[string]int{
			"IFCB5_2012_028_081515": 5, "D20130526T095207_IFCB013": 19, "D20180712T065600_IFCB114": 2,
			"D20220519T124533_IFCB134": 17, "D20220522T000439_IFCB134": 7, "D20220522T003051_IFCB134": 2,
		}
		total := 0
		for pid, n := range want {
			total += n
			if perBin[pid] != n {
				t.Errorf("%s: %d images, want %d", pid, perBin[pid], n)
			}
		}
		if total != 52 || len(perBin) != len(want) {
			t.Errorf("%d images wanted, bins %v", total, perBin)
		}
		if failed, done := s.metrics.Value("ifcb_bins_failed_total"), s.metrics.Value("ifcb_bins_total"); failed != 3 || done != 8 {
			t.Errorf("%v bins failed, %v done, want 3 and 8", failed, done)
		}
	})
}
