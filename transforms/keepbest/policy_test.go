package keepbest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// TestPolicies: what a table has of an image that one model classified with
// 0.9, a second one with 0.6 and then 0.4, and the first again with 0.5.
func TestPolicies(t *testing.T) {
	steps := []struct {
		model string
		prob  float32
	}{{"old", 0.9}, {"new", 0.6}, {"new", 0.4}, {"old", 0.5}}
	for _, c := range []struct {
		policy string
		want   map[string]float32 // by the model, of the last record of each
		last   string
	}{
		{"keep-best", map[string]float32{"m:old": 0.9}, "m:old 0.9"},
		{"latest", map[string]float32{"m:old": 0.5, "m:new": 0.4}, "m:old 0.5"},
		{"per-model", map[string]float32{"m:old": 0.9, "m:new": 0.6}, "m:old 0.9"},
	} {
		t.Run(c.policy, func(t *testing.T) {
			tr := configured(t, connector.Props{"key": "pid,roi", "policy": c.policy})
			store, got := new(connectortest.Store), map[string]float32{}
			for _, s := range steps {
				out, keep, err := tr.ApplyStateful(t.Context(), store, asStruct(1, 10, s.model, s.prob, 1))
				if err != nil || !keep {
					t.Fatalf("%v %v", keep, err)
				}
				v := out.Value.(*connector.Struct)
				model, _ := v.Get("classifier")
				prob, _ := v.Get("prob")
				got[model.(string)] = prob.(float32)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, _, err := configured(t, connector.Props{"policy": "per-model", "model.field": "model"}).ApplyStateful(t.Context(), new(connectortest.Store), asMap("k", "a", 0.5)); connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "field model with the model is missing") {
		t.Errorf("without the model's field: %v", err)
	}
	if _, err := connector.ParsePlugin(new(Transform), connector.Props{"policy": "newest"}); err == nil || !strings.Contains(err.Error(), "policy") {
		t.Errorf("an unknown policy: %v", err)
	}
}

// TestHeadersAreKept: headers that say where a classification is from stay with
// it; others are those of the record at hand.
func TestHeadersAreKept(t *testing.T) {
	tr := configured(t, connector.Props{"key": "pid,roi"})
	store := new(connectortest.Store)
	with := func(name string, prob float32) connector.Record {
		r := asStruct(1, 10, name, prob, 1)
		r.Headers = connector.Headers{}.With("classification.digest", connector.StringSchema, "of "+name).
			With("classification.prob", connector.Float32Schema, prob).With("trace", connector.StringSchema, name)
		return r
	}
	if _, _, err := tr.ApplyStateful(t.Context(), store, with("a", 0.5)); err != nil {
		t.Fatal(err)
	}
	out, _, err := tr.ApplyStateful(t.Context(), store, with("b", 0.25))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, h := range out.Headers {
		got[h.Key] = h.Value
	}
	want := map[string]any{"classification.digest": "of a", "classification.prob": float32(0.5), "trace": "b"}
	if diff := cmp.Diff(want, got); diff != "" || len(out.Headers) != 3 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
