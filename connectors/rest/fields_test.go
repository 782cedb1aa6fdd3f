package rest

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

var imageSchema = connector.StructOf("image", connector.F("pid", connector.StringSchema), connector.F("image", connector.BytesSchema),
	connector.F("note", connector.OptionalStringSchema), connector.F("box", connector.ArrayOf(connector.Int32Schema)))

// pixels is the beginning of a PNG and enough bytes not to be copied.
var pixels = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("p"), 2*leastSplice)...)

func images(pids ...string) []connector.Record {
	list := make([]connector.Record, len(pids))
	for i, pid := range pids {
		v := connector.StructFrom(imageSchema, []any{pid, pixels, nil, []any{int32(1), int32(2)}})
		list[i] = connector.NewRecord("images", nil, nil, imageSchema, v)
		list[i].Origin = connector.Origin{Topic: "images", Offset: int64(i)}
	}
	return list
}

// Clauses: N2.
func TestMultipart(t *testing.T) {
	type part struct{ Name, File, Type, Data string }
	var got [][]part
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		reader := multipart.NewReader(r.Body, params["boundary"])
		var parts []part
		for {
			p, err := reader.NextPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Error(err)
				return
			}
			data, _ := io.ReadAll(p)
			if bytes.Equal(data, pixels) {
				data = []byte("the image")
			}
			parts = append(parts, part{p.FormName(), p.FileName(), p.Header.Get("Content-Type"), string(data)})
		}
		got = append(got, parts)
	}))
	defer service.Close()
	s := start(t, nil, "url", service.URL, "format", "multipart", "batch.size", "2", "batch.max.bytes", "10000000", "multipart.filename", "${value.pid}.png")
	if err := s.Put(t.Context(), images("a\"b", "c")); err != nil {
		t.Fatal(err)
	}
	s = start(t, nil, "url", service.URL, "format", "multipart")
	if err := s.Put(t.Context(), images("d")); err != nil {
		t.Fatal(err)
	}
	box := part{"box", "", "application/json", "[1,2]"}
	want := [][]part{
		{{"pid", "", "", `a"b`}, {"image", `a"b.png`, "image/png", "the image"}, {"note", "", "", ""}, box,
			{"pid", "", "", "c"}, {"image", "c.png", "image/png", "the image"}, {"note", "", "", ""}, box},
		{{"pid", "", "", "d"}, {"image", "images-0-0", "image/png", "the image"}, box},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Clauses: N2.
func TestForms(t *testing.T) {
	service := newService(t, nil)
	put := func(records []connector.Record, props ...string) {
		t.Helper()
		if err := start(t, nil, append([]string{"url", service.URL, "format", "form"}, props...)...).Put(t.Context(), records); err != nil {
			t.Fatal(err)
		}
	}
	place := connector.NewRecord("t", nil, nil, nil, map[string]any{"b": "x & y", "a": int64(1), "none": nil, "at": time.UnixMilli(0).UTC(), "raw": []byte{1}, "in": map[string]any{"c": true}})
	put([]connector.Record{place})
	put([]connector.Record{connector.NewRecord("t", nil, nil, nil, "one")})
	put([]connector.Record{connector.NewRecord("t", nil, nil, nil, map[string]any{"a": int64(1), "b": nil}), connector.NewRecord("t", nil, nil, nil, map[string]any{"a": int64(2), "b": "x"})}, "batch.size", "2")
	want := []url.Values{
		{"a": {"1"}, "at": {"1970-01-01T00:00:00.000Z"}, "b": {"x & y"}, "in": {`{"c":true}`}, "raw": {"AQ=="}},
		{"value": {"one"}},
		{"a": {"1", "2"}, "b": {"", "x"}},
	}
	for i, line := range service.got() {
		got, err := url.ParseQuery(strings.TrimPrefix(line, "POST / "))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[i], got); d != "" {
			t.Error(d)
		}
	}
	if got := service.last.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
		t.Error(got)
	}
}

// Clauses: N2.
func TestOtherForms(t *testing.T) {
	text := connector.NewRecord("t", nil, nil, connector.StringSchema, "text")
	raw := connector.NewRecord("t", nil, nil, nil, []byte("bytes"))
	whole := records(1)[0]
	tests := []struct {
		name  string
		props []string
		want  string
	}{
		{"auto", []string{"format", "auto"}, "text\nbytes\n" + `{"n":0,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}` + "\n"},
		{"as Java prints them", []string{"format", "text"}, "text\nbytes\nStruct{n=0,at=Thu Jan 01 00:00:00 UTC 1970,b=01}\n"},
		{"with other separators", []string{"format", "auto", "batch.prefix", `<\u0061>`, "batch.separator", `\t`, "batch.suffix", `</a>\n`}, "<a>text\tbytes\t" + `{"n":0,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}` + "</a>\n"},
		{"a separator that is no escape", []string{"format", "auto", "batch.separator", `\`, "batch.suffix", ""}, `text\bytes\{"n":0,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service := newService(t, nil)
			s := start(t, nil, append([]string{"url", service.URL, "batch.size", "9"}, tt.props...)...)
			if err := s.Put(t.Context(), []connector.Record{text, raw, whole}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"POST / " + tt.want}, service.got()); d != "" {
				t.Error(d)
			}
		})
	}
}

// A record whose value is null is sent, left out, deleted or bad.
//
// Clauses: N3.
func TestNullValues(t *testing.T) {
	null := records(3)
	null[1].ValueSchema, null[1].Value = nil, nil
	tests := []struct {
		name, behaviour string
		want            []string
		reported        int
	}{
		{"sent", "send", []string{"POST", "POST", "POST"}, 0},
		{"ignored", "ignore", []string{"POST", "POST"}, 0},
		{"deleted", "delete", []string{"POST", "DELETE", "POST"}, 0},
		{"bad", "fail", []string{"POST", "POST"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			service := newService(t, func(_ int, r *http.Request, body string) int {
				got = append(got, r.Method)
				if r.Method == http.MethodDelete {
					if body != "" || r.URL.EscapedPath() != "/k%2F1" {
						t.Errorf("%s %q", r.URL, body)
					}
					return http.StatusNotFound // it is gone: nothing is wrong
				}
				return 0
			})
			reporter := new(connectortest.Reporter)
			s := start(t, reporter, "url", service.URL+"/${key}", "behavior.on.null.values", tt.behaviour)
			if err := s.Put(t.Context(), null); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if reported, _ := reporter.Reported(); len(reported) != tt.reported {
				t.Errorf("reported %v", reported)
			}
		})
	}
}
