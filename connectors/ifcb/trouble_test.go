package ifcb_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// Without a zip, or with a damaged one, images come one by one.
func TestFallsBackToSingleImages(t *testing.T) {
	answers := map[string]func(http.ResponseWriter){
		"no zip":        func(w http.ResponseWriter) { http.Error(w, "no", http.StatusNotFound) },
		"damaged zip":   func(w http.ResponseWriter) { fmt.Fprint(w, "PK\x03\x04 and then nothing") },
		"page with 200": func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html"); fmt.Fprint(w, "<html>") },
	}
	each(t, func(t *testing.T, generation int) {
		for name, answer := range answers {
			t.Run(name, func(t *testing.T) {
				b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
					isZip := strings.HasSuffix(r.URL.Path, ".zip")
					if isZip {
						answer(w)
					}
					return isZip
				})
				b.addOld(t)
				id := b.take(t, "2024-05-01T10:00:00Z")[0]
				old, _ := ifcb.ParseBinID("IFCB5_2012_028_081515")
				if diff := cmp.Diff(b.imagesOf(t, id, old), keys(start(t, b.props(), nil).drain(t))); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// Neither zip nor list of images: the .adc tells the numbers.
func TestFallsBackToTheADC(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			absent := strings.HasSuffix(r.URL.Path, ".zip") || strings.Contains(r.URL.Path, "list_images") || strings.HasSuffix(r.URL.Path, "_roisizes")
			if absent {
				http.NotFound(w, r)
			}
			return absent
		})
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		if diff := cmp.Diff(b.imagesOf(t, id), keys(start(t, b.props(), nil).drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

// A list of images of another form is no list, not even the part of it that could be read: no image comes twice.
func TestListOfImagesOfAnotherForm(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "list_images") || strings.HasSuffix(r.URL.Path, "_roisizes") {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"images": [1, 2, "three"], "targetNumber": [1, 2, "three"]}`)
				return true
			}
			return without(".zip")(w, r)
		})
		id := b.take(t, "2024-05-01T10:00:00Z")[0]
		if diff := cmp.Diff(b.imagesOf(t, id), keys(start(t, b.props(), nil).drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

func TestBusyServerIsRetriable(t *testing.T) {
	tests := []struct {
		name   string
		path   string
		status int
		after  string
		want   time.Duration
	}{
		{"list, 503 with seconds", "", http.StatusServiceUnavailable, "7", 7 * time.Second},
		{"zip, 429", ".zip", http.StatusTooManyRequests, "3", 3 * time.Second},
		{"zip, 500 without", ".zip", http.StatusInternalServerError, "", 0},
		{"zip, longer than an hour", ".zip", http.StatusServiceUnavailable, "999999", time.Hour},
	}
	each(t, func(t *testing.T, generation int) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				busy := true
				b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
					if !busy || !strings.HasSuffix(r.URL.Path, tt.path) {
						return false
					}
					if tt.after != "" {
						w.Header().Set("Retry-After", tt.after)
					}
					w.WriteHeader(tt.status)
					return true
				})
				id := b.take(t, "2024-05-01T10:00:00Z")[0]
				s := start(t, b.props(), nil)
				_, err := s.Poll(t.Context())
				marked, ok := errors.AsType[*connector.Error](err)
				if !ok || marked.Kind != connector.KindRetriable || marked.After != tt.want {
					t.Fatalf("error %v (%+v), want retriable after %s", err, marked, tt.want)
				}
				busy = false
				if diff := cmp.Diff(b.imagesOf(t, id), keys(s.drain(t))); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// A bin that makes the dashboard fail again and again must not hold up the others.
func TestBinThatBreaksTheDashboard(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		b := newBins(t, dashboard.Options{Generation: generation}, func(w http.ResponseWriter, r *http.Request) bool {
			breaks := strings.Contains(r.URL.Path, "D20240501T102000_IFCB901.zip")
			if breaks {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return breaks
		})
		ids := b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z")
		s := start(t, b.props(), nil)
		if diff := cmp.Diff(b.imagesOf(t, ids[0]), keys(s.drain(t))); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		if failed := s.metrics.Value("ifcb_bins_failed_total"); failed != 1 {
			t.Errorf("%v bins failed, want 1", failed)
		}
	})
}

func TestSilentServer(t *testing.T) {
	b := newBins(t, dashboard.Options{Generation: 2}, func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done() // the client has given up
		return true
	})
	s := start(t, b.props("request.timeout.ms", "100"), nil)
	_, err := s.Poll(t.Context())
	if connector.KindOf(err) != connector.KindRetriable || !strings.Contains(err.Error(), "silent for 100ms") {
		t.Errorf("error %v", err)
	}
}

func TestNoDashboard(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>Welcome to nginx</html>")
		return true
	}
	b := newBins(t, dashboard.Options{Generation: 1}, page)
	_, err := start(t, b.props(), nil).Poll(t.Context())
	if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "check dashboard.url and dataset") {
		t.Errorf("a web server: %v", err)
	}
	b = newBins(t, dashboard.Options{Generation: 2}, nil)
	_, err = start(t, b.props("dashboard.url", b.url, "dataset", "other"), nil).Poll(t.Context())
	if connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "has no dataset other; it has "+dataset) {
		t.Errorf("unknown dataset: %v", err)
	}
	_, err = start(t, b.props("dashboard.url", "http://127.0.0.1:1/x"), nil).Poll(t.Context())
	if connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("unreachable: %v", err)
	}
}
