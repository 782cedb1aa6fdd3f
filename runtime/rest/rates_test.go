package rest

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rates"
)

// Rates of the last hour are told where they are asked for, and once there are some, as
// the document says.
func TestRatesOfTheLastHour(t *testing.T) {
	d := readDocument(t)
	hour := new(rates.History)
	s := New(Options{Herder: new(fakeHerder), Rates: hour})
	asked := func(path string) string {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if err := d.conforms("GET", path, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return w.Body.String()
	}
	const mean = `"records_out_per_second_last_hour":0.3`
	for _, path := range []string{"/connectors/flow/status?progress=true", "/connectors?expand=status&progress=true"} {
		if got := asked(path); strings.Contains(got, "last_hour") {
			t.Errorf("before the first sample %s answers %s", path, got)
		}
	}
	hour.Take(time.Unix(0, 0), []string{"flow"}, nil)
	hour.Take(time.Unix(10, 0), []string{"flow"}, []runtime.Stats{{Connector: "flow", RecordsOut: 3}})
	for path, want := range map[string]string{"/connectors/flow/status?progress=true": mean, "/connectors?expand=status&progress=true": mean,
		"/connectors/flow/rates": `[{"time":"1970-01-01T00:00:10Z","seconds":10,"recordsInPerSecond":0,"recordsOutPerSecond":0.3,"errors":0,"lagRecords":null}]`} {
		if got := asked(path); !strings.Contains(got, want) {
			t.Errorf("%s answers %s, want %s", path, got, want)
		}
	}
	if got := asked("/connectors/flow/status"); strings.Contains(got, "last_hour") {
		t.Errorf("nobody asks for it: %s", got)
	}
}
