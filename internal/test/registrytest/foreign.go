package registrytest

import (
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
)

// recorded is the file of values, a line of hexadecimal digits each, that
// testdata/interop.py has written; how is said in testdata/README.md.
const recorded = "testdata/foreign.hex"

// Foreign is values that testdata/interop.py of a package writes with Confluent's client.
type Foreign struct {
	Type   registry.Type
	Schema string // file
	Want   []any  // as [Plain] gives them
}

// register makes a registry that has the schema as its first one.
func (f Foreign) register(t *testing.T) (url string) {
	t.Helper()
	text, err := os.ReadFile(f.Schema)
	if err != nil {
		t.Fatal(err)
	}
	url = URL(t)
	if id := Register(t, url, "foreign-value", f.Type, string(text)); id != 1 {
		t.Fatalf("the schema has id %d, the values 1", id)
	}
	return url
}

// check reads what the script writes.
func (f Foreign) check(t *testing.T, conv connector.Converter, lines string) {
	t.Helper()
	list := strings.Fields(lines)
	if len(list) != len(f.Want) {
		t.Fatalf("%d values, want %d", len(list), len(f.Want))
	}
	for i, line := range list {
		data, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		_, v, err := conv.ToConnect(t.Context(), "foreign", data)
		if err != nil {
			t.Errorf("value %d: %v", i, err)
		} else if got := Plain(v); !reflect.DeepEqual(got, f.Want[i]) {
			t.Errorf("value %d: got\n%#v\nwant\n%#v", i, got, f.Want[i])
		}
	}
}

// Recorded reads what the script has written.
func (f Foreign) Recorded(t *testing.T, conv connector.Converter, props connector.Props) {
	t.Helper()
	lines, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	f.check(t, Configure(t, conv, f.register(t), props), string(lines))
}

// Written reads what the script writes now, and records it anew where that is
// asked for. It gives the registry.
func (f Foreign) Written(t *testing.T, conv connector.Converter, update bool) (url string) {
	t.Helper()
	url = f.register(t)
	lines := Python(t, "", "write", url, f.Schema)
	f.check(t, Configure(t, conv, url, nil), lines)
	if update {
		if err := os.WriteFile(recorded, []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return url
}

// Plain gives a value without Kafka Connect's types: maps for structs, texts for
// decimals.
func Plain(v any) any {
	switch x := v.(type) {
	case *connector.Struct:
		m := map[string]any{}
		for i, f := range x.Schema().Fields() {
			m[f.Name] = Plain(x.At(i))
		}
		return m
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = Plain(x[i])
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for k, e := range x {
			m[k] = Plain(e)
		}
		return m
	case connector.Decimal:
		return x.String()
	}
	return v
}
