package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/events"
)

// written gives what a command writes, to its output and beside it.
func written(t *testing.T, in string, args ...string) (out, said string) {
	t.Helper()
	var o, e strings.Builder
	root := Root("hydraulics")
	root.SetIn(strings.NewReader(in))
	root.SetOut(&o)
	root.SetErr(&e)
	root.SetArgs(args)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o.String(), e.String()
}

// operations are what takes the role operate; what only looks takes view, and all
// else configure.
var operations = map[string]bool{
	"post /connectors/{name}/restart": true, "post /connectors/{name}/tasks/{task}/restart": true,
	"put /connectors/{name}/pause": true, "put /connectors/{name}/resume": true, "put /connectors/{name}/stop": true,
	"put /connectors/{name}/topics/reset": true, "put /admin/loggers/{logger}": true,
	"post /page/api/dead-letters/{topic}/replay": true,
}

// TestRoutesTakeRoles asks for all that the API's document describes, and for what
// the page answers, as people of each role.
//
// Clauses: K14.
func TestRoutesTakeRoles(t *testing.T) {
	tokens, access := map[string]string{}, ""
	for _, role := range []string{"view", "operate", "configure"} {
		lines, said := written(t, "", "access", "token", role, "--role", role)
		_, tokens[role], _ = strings.Cut(strings.TrimSpace(said), ": ")
		access += strings.TrimPrefix(lines, "tokens:\n")
	}
	file := filepath.Join(filepath.Dir(write(t, "access.yaml", "tokens:\n"+access)), "flow.yaml")
	overwrite(t, file, `
worker: {bootstrap.servers: '`+kafkatest.Start(t)+`', listeners: 'http://127.0.0.1:0', page.listener: 'http://127.0.0.1:0', access.file: access.yaml, key.converter: string, value.converter: string}
connectors:
  lines: {connector.class: file-source, topic: lines, file: in.txt, producer.override.sasl.jaas.config: hush}
`)
	w := start(t, file)
	defer stop(t, w)
	ask := func(role, method, url string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(method), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if role != "" {
			r.Header.Set("Authorization", "Bearer "+tokens[role])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if res.Header.Get("Content-Type") == events.Type { // it has no end
			return res.StatusCode, ""
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	_, doc := ask("view", "get", w.RESTURL()+"/openapi.json")
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(doc), &api); err != nil || len(api.Paths) < 20 {
		t.Fatalf("%v: %s", err, doc)
	}
	urls := map[string]string{"get /page": w.PageURL() + "/"}
	for _, pattern := range w.page.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		at := strings.NewReplacer("{connector}", "nosuch", "{topic}", "nosuch", "{plugin}", "nosuch", "{name}", "a.png").Replace(path)
		urls[strings.ToLower(method)+" /page"+path] = w.PageURL() + at
	}
	if urls["get /page/api/topics"] == "" || urls["post /page/api/preview"] == "" {
		t.Fatalf("%v", urls)
	}
	for path, methods := range api.Paths {
		at := strings.NewReplacer("{name}", "nosuch", "{task}", "0", "{logger}", "nosuch", "{plugin}", "nosuch").Replace(path)
		for method := range methods {
			if method != "parameters" {
				urls[method+" "+path] = w.RESTURL() + at
			}
		}
	}
	ranks := map[string]int{"": 0, "view": 1, "operate": 2, "configure": 3}
	for name, url := range urls {
		method, path, _ := strings.Cut(name, " ")
		takes := 3
		switch {
		case path == "/health":
			takes = 0
		case strings.Contains(path, "/api/edit/"): // with the text of a file, comments too
		case method == "get":
			takes = 1
		case operations[name]:
			takes = 2
		}
		for role, rank := range ranks {
			got, _ := ask(role, method, url)
			switch refused := got == http.StatusUnauthorized || got == http.StatusForbidden; {
			case refused != (rank < takes):
				t.Errorf("%s as %q: %d", name, role, got)
			case refused && (role == "") != (got == http.StatusUnauthorized):
				t.Errorf("%s as %q is refused with %d", name, role, got)
			}
		}
	}
	for role, hidden := range map[string]bool{"view": true, "operate": true, "configure": false} {
		for _, path := range []string{"/connectors/lines", "/connectors/lines/config", "/connectors?expand=info", "/connectors/lines/tasks"} {
			if _, body := ask(role, "get", w.RESTURL()+path); strings.Contains(body, "hush") == hidden || !strings.Contains(body, "producer.override.sasl.jaas.config") {
				t.Errorf("%s as %s: %s", path, role, body)
			}
		}
	}
}

func TestAccessWritesLines(t *testing.T) {
	lines, _ := written(t, "open sesame\n", "access", "user", "anna", "--role", "operate")
	if !strings.HasPrefix(lines, "users:\n  anna:\n    password: $2a$") || !strings.Contains(lines, "role: operate") {
		t.Errorf("%s", lines)
	}
	for name, args := range map[string][]string{
		"unknown role":           {"access", "token", "anna", "--role", "root"},
		"unknown role of a user": {"access", "user", "anna", "--role", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := run(t.Context(), args...); err == nil {
				t.Error("it is taken")
			}
		})
	}
}
