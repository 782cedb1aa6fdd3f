package ifcb_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
)

// A listing that has not changed is not sent again, and one that has is.
func TestConditionalRequests(t *testing.T) {
	stamp := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	validators := map[string]func(version int) (header, value, condition string){
		"ETag": func(v int) (string, string, string) {
			return "ETag", `"` + strings.Repeat("v", v) + `"`, "If-None-Match"
		},
		"date": func(v int) (string, string, string) {
			return "Last-Modified", stamp.Add(time.Duration(v) * time.Second).Format(http.TimeFormat), "If-Modified-Since"
		},
	}
	each(t, func(t *testing.T, generation int) {
		for name, validator := range validators {
			t.Run(name, func(t *testing.T) {
				var b *bins
				version, sent, same := 1, 0, 0
				b = newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, "/feed.json") && !strings.Contains(r.URL.Path, "most_recent_bin") {
						return false
					}
					header, value, condition := validator(version)
					if r.Header.Get(condition) == value {
						same++
						w.WriteHeader(http.StatusNotModified)
						return true
					}
					inner := httptest.NewRecorder()
					b.handler.ServeHTTP(inner, r)
					w.Header().Set("Content-Type", inner.Header().Get("Content-Type"))
					if inner.Code == http.StatusOK {
						sent++
						w.Header().Set(header, value)
					}
					w.WriteHeader(inner.Code)
					_, _ = w.Write(inner.Body.Bytes())
					return true
				})
				first := b.take(t, "2024-05-01T10:00:00Z")[0]
				s := start(t, b.props("mode", "follow", "poll.interval.ms", "100"), nil)
				got, err := s.until(t, func([]connector.SourceRecord) bool { return same >= 2 })
				if err != nil {
					t.Fatal(err)
				}
				before := sent
				second := b.take(t, "2024-05-01T10:20:00Z")[0]
				version++
				more, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == 3 })
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(b.imagesOf(t, first, second), keys(append(got, more...))); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
				if before > 2 || sent != before+1 {
					t.Errorf("the list was sent %d times before it changed, %d in all", before, sent)
				}
			})
		}
	})
}
