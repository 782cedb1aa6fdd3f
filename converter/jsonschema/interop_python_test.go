//go:build integration

package jsonschema

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

var update = flag.Bool("update", false, "record what Python writes anew")

// TestPython exchanges values with Confluent's client over the embedded registry;
// it validates what it writes and reads.
func TestPython(t *testing.T) {
	url := foreign.Written(t, new(Converter), *update)
	data, err := configured(t, url, nil).FromConnect(t.Context(), "ours", every, everyValue())
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal([]byte(registrytest.Python(t, hex.EncodeToString(data)+"\n", "read", url, "ours-value")), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data[5:], &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Python reads (-want +got):\n%s", diff)
	}
}
