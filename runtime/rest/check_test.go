package rest

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
)

// TestCheckThatTakesLong tells what was found before the request is over, though one thing
// after the other takes as long as each may.
func TestCheckThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Herder: new(fakeHerder), Check: func(ctx context.Context, name string, long time.Duration) (list []health.Check, _ error) {
			for _, what := range []string{"configuration", "Kafka"} {
				findings := runtime.Look(ctx, what, long, func(ctx context.Context, _ func(connector.Finding)) { <-ctx.Done() })
				list = append(list, health.Of(name, findings[0]))
			}
			return list, nil
		}})
		s.SetReady()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/connectors/flow/check?timeout=1m", nil))
		if got := w.Body.String(); w.Code != 200 || !strings.Contains(got, "no answer within 1m0s") || !strings.Contains(got, "no answer within 1m25s, in which all is looked at") {
			t.Errorf("%d %s", w.Code, got)
		}
	})
}
