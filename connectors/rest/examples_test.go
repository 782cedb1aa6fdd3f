package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

var exampleSchema = connector.StructOf("stats", connector.F("pid", connector.StringSchema), connector.F("name", connector.StringSchema), connector.F("cells", connector.Int32Schema))

// exampleRecord is the one that docs/rest.md tells of.
func exampleRecord() connector.Record {
	const pid = "D20260101T000000_IFCB1"
	r := connector.NewRecord("stats", connector.StringSchema, pid, exampleSchema, connector.StructFrom(exampleSchema, []any{pid, "Akashiwo", int32(3)}))
	r.Timestamp, r.Origin = 1767225600000, connector.Origin{Topic: "stats", Offset: 7}
	return r
}

// Each example of docs/rest.md sends the request that stands behind it.
//
// Clauses: N13.
func TestExamples(t *testing.T) {
	data, err := os.ReadFile("../../docs/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	pairs := regexp.MustCompile("(?s)```yaml\n(.*?)```\n\n```http\n(.*?)```").FindAllStringSubmatch(string(data), -1)
	if len(pairs) < 4 {
		t.Fatalf("only %d examples", len(pairs))
	}
	for _, pair := range pairs {
		config, want := pair[1], strings.TrimSpace(pair[2])
		t.Run(strings.SplitN(want, "\n", 2)[0], func(t *testing.T) {
			var got string
			service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = requestText(r, want) }))
			defer service.Close()
			s := start(t, nil, exampleKeys(strings.ReplaceAll(config, "http://localhost", service.URL))...)
			s.name = "example"
			if err := s.Put(t.Context(), []connector.Record{exampleRecord()}); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// exampleKeys reads the keys of the one connector of a file, but for those of the
// framework.
func exampleKeys(file string) []string {
	var pairs []string
	for line := range strings.Lines(file) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if ok && key != "connector.class" && key != "topics" {
			pairs = append(pairs, key, strings.Trim(value, "'"))
		}
	}
	return pairs
}

// requestText writes a request as the document does, with the headers that it shows,
// in its order.
func requestText(r *http.Request, shown string) string {
	body, _ := io.ReadAll(r.Body)
	lines := []string{r.Method + " " + r.URL.RequestURI()}
	var names []string
	for _, line := range strings.Split(strings.SplitN(shown, "\n\n", 2)[0], "\n")[1:] {
		name, _, _ := strings.Cut(line, ":")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		for _, value := range r.Header[name] {
			lines = append(lines, fmt.Sprintf("%s: %s", name, value))
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n") + "\n\n" + string(body))
}
