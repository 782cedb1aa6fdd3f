//go:build integration

package classify

import (
	"os"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TestModelServer classifies by a real model server: HYDRAULICS_MODEL_SERVER is
// the URL of a model with an input of 224 x 224 x 3 and 50 outputs.
func TestModelServer(t *testing.T) {
	url := os.Getenv("HYDRAULICS_MODEL_SERVER")
	if url == "" {
		t.Skip("HYDRAULICS_MODEL_SERVER is not set: it names a model such as http://127.0.0.1:8501/v1/models/ifcb-densenet")
	}
	props := connector.Props{"model": url, "batch.size": 3}
	if v := os.Getenv("HYDRAULICS_MODEL_VERSION"); v != "" { // of a server that does not tell
		props["model.version"] = v
	}
	tr := configured(t, props)
	img := picture(t, 90, 60)
	batch := []connector.Record{structRecord("a", img), structRecord("b", []byte("bad")), structRecord("c", img), structRecord("d", img), structRecord("e", img)}
	results := tr.ApplyBatch(t.Context(), batch)
	first := results[0].Record
	for i, r := range results {
		if i == 1 {
			if connector.KindOf(r.Err) != connector.KindData {
				t.Errorf("a bad image gives %v", r.Err)
			}
			continue
		}
		if r.Err != nil {
			t.Fatalf("record %d: %v", i, r.Err)
		}
		name, _ := r.Record.Value.(*connector.Struct).Get("name")
		want, _ := first.Value.(*connector.Struct).Get("name")
		if name == "" || name != want {
			t.Errorf("record %d is %v, the same image before %v", i, name, want)
		}
	}
	classifier, _ := first.Value.(*connector.Struct).Get("classifier")
	prob, _ := first.Value.(*connector.Struct).Get("prob")
	t.Logf("classifier %v, probability %v", classifier, prob)
	if s, _ := classifier.(string); !strings.Contains(s, ":") || strings.HasSuffix(s, ":") {
		t.Errorf("classifier is %v", classifier)
	}
}
