package page

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/internal/events"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// tapAPI is a REST API that answers taps alone.
type tapAPI struct{ http.HandlerFunc }

func (tapAPI) Takes(*http.Request) rights.Role { return rights.View }

// TestTap streams a tap of the REST API, whose records are as those of previews, and
// leaves the rest of its events and what it refuses as they are.
func TestTap(t *testing.T) {
	img := base64.StdEncoding.EncodeToString(picture(t))
	api := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/connectors/stats/tap" || r.URL.Query().Get("stage") != "a" {
			http.Error(w, `{"message":"no stage"}`, http.StatusBadRequest)
			return
		}
		out, err := events.NewWriter(w, time.Minute)
		if err != nil {
			t.Error(err)
		}
		for _, e := range []events.Event{
			{Name: "counts", Data: []byte(`{"seen":3}`)},
			{Name: "record", Data: fmt.Appendf(nil, `{"time":"2026-07-28T21:26:39Z","task":1,"record":"t[0]@9","fate":"passed","topic":"u","steps":[{"stage":"a",
"changes":[{"field":"value.image","after":%q}],"fields":[{"field":"key","after":"k"}]}]}`, img)},
		} {
			e.Data = []byte(strings.ReplaceAll(string(e.Data), "\n", ""))
			if err := out.Write(e); err != nil {
				t.Error(err)
			}
		}
		if err := out.Beat(); err != nil {
			t.Error(err)
		}
	}
	p := New(Options{Herder: fakeHerder{}, API: tapAPI{api}})
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/connectors/stats/tap?stage=a", nil))
	body := w.Body.String()
	i := strings.Index(body, "picture/")
	if i < 0 {
		t.Fatalf("no picture in %s", body)
	}
	path := body[i : i+strings.IndexByte(body[i:], '"')]
	want := `event: counts
data: {"seen":3}

event: record
data: {"time":"2026-07-28T21:26:39Z","task":1,"record":"t[0]@9","fate":"passed","topic":"u","steps":[{"stage":"a","changes":[` +
		`{"field":"value.image","after":"PNG 3 x 2, ` + fmt.Sprint(len(picture(t))) + ` bytes","was":false,"is":true,"picture":"` + path + `"}],` +
		`"fields":[{"field":"key","after":"\"k\"","was":false,"is":true}]}],"arrives":true}

:

`
	if d := cmp.Diff(want, body); d != "" {
		t.Error(d)
	}
	if got := get(t, p, "/"+path, nil); got.Code != http.StatusOK {
		t.Errorf("the picture is answered with %d", got.Code)
	}
	w = httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/connectors/stats/tap?stage=b", nil))
	if w.Code != http.StatusBadRequest || w.Body.String() != "{\"message\":\"no stage\"}\n" {
		t.Errorf("a tap that is refused: %d %s", w.Code, w.Body)
	}
}
