package rest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

var placeSchema = connector.StructOf("place", connector.F("name", connector.OptionalStringSchema), connector.F("n", connector.Float64Schema), connector.F("at", connector.TimestampSchema))

// placed is a record with something in every place.
func placed() connector.Record {
	inner := connector.StructFrom(placeSchema, []any{"a b", 1.5, time.UnixMilli(1500).UTC()})
	schema := connector.StructOf("v", connector.F("in", placeSchema), connector.F("id", connector.Int32Schema))
	r := connector.NewRecord("t", placeSchema, inner, schema, connector.StructFrom(schema, []any{inner, int32(7)}))
	r.Timestamp, r.Origin = 9, connector.Origin{Topic: "t", Partition: 3, Offset: 4}
	r.Headers = r.Headers.With("x.y", connector.StringSchema, "h").With("x.y", connector.StringSchema, "i")
	return r
}

// Clauses: N1.
func TestTemplates(t *testing.T) {
	whole := placed()
	plain := connector.NewRecord("t", nil, "k", nil, map[string]any{"m": map[string]any{"n": int64(5)}, "list": []any{}})
	tests := []struct {
		template string
		record   connector.Record
		want     string // or the error
	}{
		{"as it is, $5 {}", whole, "as it is, $5 {}"},
		{"${topic}/${partition}/${offset}@${timestamp}", whole, "t/3/4@9"},
		{"${key.name}-${key.n}", whole, "a b-1.5"},
		{"${value.id}.${value.in.name}", whole, "7.a b"},
		{"${value.in.at}", whole, "1970-01-01T00:00:01.500Z"},
		{"${header.x.y}", whole, "i"},
		{"${key}", plain, "k"},
		{"${value.m.n}", plain, "5"},
		{"${value.in}", whole, "${value.in} is a org.apache.kafka.connect.data.Struct, but only a primitive value"},
		{"${value.list}", plain, "${value.list} is a java.util.ArrayList"},
		{"${value.id.deeper}", whole, "${value.id.deeper} is a null"},
		{"${header.z}", whole, "${header.z} is a null"},
	}
	for _, tt := range tests {
		t.Run(tt.template, func(t *testing.T) {
			parsed, err := parseTemplate(tt.template)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parsed.append(nil, &tt.record, asIs)
			if err != nil {
				if !strings.HasPrefix(err.Error(), tt.want) {
					t.Errorf("%v, want %s", err, tt.want)
				}
				return
			}
			if string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	for _, wrong := range []string{"${", "${topic", "${topic.x}", "${header}", "${value.}", "${}", "${other}"} {
		if _, err := parseTemplate(wrong); err == nil || !strings.Contains(err.Error(), "is no place: there are") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// Clauses: N1.
func TestRequestsFromTheRecord(t *testing.T) {
	service := newService(t, nil)
	s := start(t, nil, "url", service.URL+"/${topic}/${value.id}?of=${key.name}", "method", "${header.method}", "headers", "X-Id: ${value.id}, X-Fixed: f")
	put := func(method string) {
		t.Helper()
		r := placed()
		r.Headers = r.Headers.With("method", connector.StringSchema, method)
		if err := s.Put(t.Context(), []connector.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	put("PUT")
	put("DELETE")
	const body = ` {"in":{"name":"a b","n":1.5,"at":"1970-01-01T00:00:01.500Z"},"id":7}`
	if d := cmp.Diff([]string{"PUT /t/7?of=a%20b" + body, "DELETE /t/7?of=a%20b" + body}, service.got()); d != "" {
		t.Error(d)
	}
	if h := service.last; h.Get("X-Id") != "7" || h.Get("X-Fixed") != "f" {
		t.Error(h)
	}
	r := placed()
	r.Headers = r.Headers.With("method", connector.StringSchema, "GET")
	if err := s.Put(t.Context(), []connector.Record{r}); connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), `method: it is "GET"`) {
		t.Error(err)
	}
	r.Headers = r.Headers.With("method", connector.StringSchema, "POST").With("x", connector.StringSchema, "a\nb")
	s = start(t, nil, "url", service.URL, "headers", "X-Id: ${header.x}")
	if err := s.Put(t.Context(), []connector.Record{r}); connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "header X-Id: ${header.x} has a line break") {
		t.Error(err)
	}
}

// Records of one topic are a request of several, those of another topic the next.
//
// Clauses: N1, N2.
func TestBatchesByDestination(t *testing.T) {
	service := newService(t, nil)
	s := start(t, nil, "url", service.URL+"/${topic}", "format", "raw", "batch.size", "10")
	var batch []connector.Record
	for i, topic := range []string{"a", "a", "b", "b", "a"} {
		r := connector.NewRecord(topic, nil, nil, nil, string(rune('0'+i)))
		r.Origin = connector.Origin{Topic: topic, Offset: int64(i)}
		batch = append(batch, r)
	}
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"POST /a 0\n1\n", "POST /b 2\n3\n", "POST /a 4\n"}, service.got()); d != "" {
		t.Error(d)
	}
}
