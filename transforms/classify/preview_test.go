package classify

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// An offline preview asks no server: nobody listens at this one.
func TestPreviewOffline(t *testing.T) {
	var effects []connector.Effect
	tr, c := new(Transform), connectortest.Context(t)
	c.Preview = &connector.Preview{Offline: true, Would: func(e connector.Effect) { effects = append(effects, e) }}
	if err := tr.Configure(c, connectortest.Configure(t, tr, connector.Props{"model": "http://127.0.0.1:1/v1/models/plankton"})); err != nil {
		t.Fatal(err)
	}
	in := structRecord("a", picture(t, 40, 40))
	out, keep, err := tr.Apply(t.Context(), in)
	if err != nil || !keep || out.Value != in.Value {
		t.Errorf("got %v, %t, %v", out, keep, err)
	}
	if _, _, err := tr.Apply(t.Context(), structRecord("b", nil)); connector.KindOf(err) != connector.KindData {
		t.Errorf("a record without an image: %v", err)
	}
	if d := cmp.Diff([]connector.Effect{{Does: "ask http://127.0.0.1:1/v1/models/plankton for the classes of 1 images"}}, effects); d != "" {
		t.Error(d)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
}
