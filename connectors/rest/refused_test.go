package rest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// Clauses: N10.
func TestRefusedRecordsAreFound(t *testing.T) {
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if strings.Contains(body, `"n":3,`) || strings.Contains(body, `"n":8,`) {
			return 422
		}
		return 0
	})
	reporter := new(connectortest.Reporter)
	s := start(t, reporter, "url", service.URL, "batch.size", "100")
	if err := s.Put(t.Context(), records(10)); err != nil {
		t.Fatal(err)
	}
	reported, causes := reporter.Reported()
	if len(reported) != 2 || reported[0].Origin.Offset != 3 || reported[1].Origin.Offset != 8 || !strings.Contains(causes[0].Error(), "record t[1]@3: POST ") {
		t.Errorf("reported %v: %v", reported, causes)
	}
	if all := strings.Join(service.got(), ""); strings.Count(all, `"n":`) != 8 {
		t.Errorf("taken: %s", all)
	}
}

// Clauses: N10.
func TestUnsendable(t *testing.T) {
	service := newService(t, nil)
	reporter := new(connectortest.Reporter)
	s := start(t, reporter, "url", service.URL+"/${key}")
	batch := records(4)
	batch[0].Key, batch[1].Key, batch[2].Key = "..", nil, []any{}
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if reported, causes := reporter.Reported(); len(reported) != 3 || len(service.got()) != 1 {
		t.Errorf("reported %v", causes)
	}
}

// So many refusals in a row are not the records' fault; those that are refused among
// others are reported, however many.
//
// Clauses: N10.
func TestLongRunOfRefusals(t *testing.T) {
	tests := []struct {
		name     string
		code     int
		good     string // what the service takes
		kind     connector.Kind
		reported int
	}{
		{"all", 400, "none", connector.KindFatal, 60},
		{"all, by what is theirs", 422, "none", connector.KindUnmarked, 180},
		{"one is taken", 400, "100", connector.KindUnmarked, 179},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service := newService(t, func(_ int, _ *http.Request, body string) int {
				if strings.TrimSpace(body) == tt.good {
					return 0
				}
				return tt.code
			})
			reporter := new(connectortest.Reporter)
			s := start(t, reporter, "url", service.URL, "format", "raw", "batch.size", "20")
			batch := texts(180, 180)
			err := s.Put(t.Context(), batch[:60])
			for from := 60; from < 180 && err == nil; from += 60 {
				err = s.Put(t.Context(), batch[from:from+60])
			}
			if connector.KindOf(err) != tt.kind || err != nil && !strings.Contains(err.Error(), "120 records in a row were answered with 400 and none was taken") {
				t.Errorf("got %v", err)
			}
			if reported, _ := reporter.Reported(); len(reported) != tt.reported {
				t.Errorf("%d records were reported, want %d", len(reported), tt.reported)
			}
		})
	}
}

// Without a tolerance a refused record ends the task, or is left out where that is
// wanted.
//
// Clauses: N10.
func TestRefusedWithoutTolerance(t *testing.T) {
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if body == "001" {
			return 422
		}
		return 0
	})
	if err := start(t, nil, "url", service.URL, "format", "raw").Put(t.Context(), texts(3, 3)); connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "record t[1]@1: POST "+service.URL) {
		t.Errorf("got %v", err)
	}
	if err := start(t, nil, "url", service.URL, "format", "raw", "behavior.on.error", "ignore").Put(t.Context(), texts(3, 3)); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"POST / 000", "POST / 000", "POST / 002"}, service.got()); d != "" {
		t.Error(d)
	}
}
