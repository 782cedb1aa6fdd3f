package rest

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// The lines are those of InfluxDB's reference of its line protocol: commas and blanks
// of measurements, and commas, equals signs and blanks of tags and names are escaped,
// quotes and backslashes within texts.
//
// Clauses: N13.
func TestInflux(t *testing.T) {
	point := func(v map[string]any) connector.Record {
		r := connector.NewRecord("my topic", nil, nil, nil, v)
		r.Timestamp = 1500
		return r
	}
	tests := []struct {
		name, query string
		props       []string
		record      connector.Record
		want        string // or the error
	}{
		{"types", "", nil, point(map[string]any{"a": 1.5, "b": int64(2), "c": true, "d": `say "hi" \o/`, "e": nil, "f": connector.NewDecimal(120, 2)}),
			`my\ topic a=1.5,b=2i,c=true,d="say \"hi\" \\o/",f=1.20 1500000000`},
		{"tags", "?precision=ms", []string{"influx.tags", "site,none,gone", "influx.measurement", "m,${topic}"}, point(map[string]any{"site": "a,b =c", "none": nil, "v": float32(0.1)}),
			`m,my\ topic,site=a\,b\ \=c v=0.1 1500`},
		{"a time of its own", "?precision=s", []string{"influx.timestamp", "at"}, point(map[string]any{"at": time.UnixMilli(-1500).UTC(), "v": int32(1)}), `my\ topic v=1i -2`},
		{"a number as time", "?precision=us", []string{"influx.timestamp", "at"}, point(map[string]any{"at": int64(77), "v": "x y"}), `my\ topic v="x y" 77`},
		{"no time", "", nil, connector.NewRecord("t", nil, nil, nil, map[string]any{"v": "a\nb"}), "t v=\"a\nb\""},
		{"no field", "", []string{"influx.tags", "site"}, point(map[string]any{"site": "a", "v": nil}), "the value has no field that is not null"},
		{"not a number", "", nil, point(map[string]any{"v": math.NaN()}), "field v: NaN has no form"},
		{"a list", "", nil, point(map[string]any{"v": []any{}}), "field v: a java.util.ArrayList has no form in line protocol: drop the field or flatten it"},
		{"a line break in a tag", "", []string{"influx.tags", "site"}, point(map[string]any{"site": "a\nb", "v": true}), "field site: is empty or has a line break"},
		{"a backslash at a tag's end", "", []string{"influx.tags", "site"}, point(map[string]any{"site": `a\`, "v": true}), "field site: is empty or has a line break or backslash"},
		{"a backslash before a blank", "", []string{"influx.tags", "site"}, point(map[string]any{"site": `a\ b`, "v": true}), "field site: is empty or has a line break or backslash"},
		{"a text as time", "", []string{"influx.timestamp", "at"}, point(map[string]any{"at": "now", "v": true}), "field at: it is a java.lang.String"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service, reporter := newService(t, nil), new(connectortest.Reporter)
			s := start(t, reporter, append([]string{"preset", "influxdb", "url", service.URL + tt.query}, tt.props...)...)
			if err := s.Put(t.Context(), []connector.Record{tt.record}); err != nil {
				t.Fatal(err)
			}
			if _, why := reporter.Reported(); len(why) > 0 {
				if !strings.Contains(why[0].Error(), tt.want) {
					t.Errorf("%v, want %s", why[0], tt.want)
				}
				return
			}
			if d := cmp.Diff([]string{"POST /" + tt.query + " " + tt.want + "\n"}, service.got()); d != "" {
				t.Error(d)
			}
		})
	}
}
