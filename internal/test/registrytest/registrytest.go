// Package registrytest gives tests of converters a schema registry, Confluent's
// client for Python, and what that has written.
package registrytest

import (
	"bytes"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/registry"
)

// URL starts an embedded registry that takes any schema, until the test ends.
func URL(t testing.TB) string {
	t.Helper()
	s, err := registryd.Start(t.Context(), new(registryd.MemoryLog), registryd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL()+"/config", strings.NewReader(`{"compatibility":"NONE"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	return s.URL()
}

// Client gives a client for schemas of a type.
func Client(t testing.TB, url string, typ registry.Type) *registry.Client {
	t.Helper()
	c, err := registry.New(registry.Options{URLs: []string{url}, Type: typ})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Register registers a schema and gives its id.
func Register(t testing.TB, url, subject string, typ registry.Type, text string) int {
	t.Helper()
	s, err := Client(t, url, typ).Register(t.Context(), subject, text)
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// Configure configures a converter of values for a registry, until the test ends.
func Configure[C connector.Converter](t testing.TB, c C, url string, props connector.Props) C {
	t.Helper()
	all := connector.Props{"schema.registry.url": url}
	maps.Copy(all, props)
	if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, all), false); err != nil {
		t.Fatal(err)
	}
	if closer, ok := any(c).(connector.Closer); ok {
		t.Cleanup(func() { _ = closer.Close() })
	}
	return c
}

// Python runs testdata/interop.py of the package that is tested, and gives what
// it prints. It skips the test without HYDRAULICS_CONFLUENT_PYTHON, a Python
// with the packages that the script names.
func Python(t testing.TB, in string, args ...string) string {
	t.Helper()
	program := os.Getenv("HYDRAULICS_CONFLUENT_PYTHON")
	if program == "" {
		t.Skip("HYDRAULICS_CONFLUENT_PYTHON is not set: a Python with Confluent's client, as testdata/README.md says")
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"testdata/interop.py"}, args...)...)
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	return out.String()
}
