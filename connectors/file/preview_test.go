package file

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestPreview(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	var effects []connector.Effect
	s, c := new(Sink), connectortest.Context(t)
	c.Preview = &connector.Preview{Would: func(e connector.Effect) { effects = append(effects, e) }}
	records := []connector.Record{connector.NewRecord("t", nil, nil, nil, "a"), connector.NewRecord("t", nil, nil, nil, int64(2))}
	if err := s.Preview(t.Context(), c, connectortest.Configure(t, s, connector.Props{"file": name}), records); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	want := []connector.Effect{{Does: "append 2 lines to " + name, Text: "a\n2", Records: []int{0, 1}}}
	if d := cmp.Diff(want, effects); d != "" {
		t.Error(d)
	}
	if there, err := filepath.Glob(name + "*"); len(there) > 0 || err != nil {
		t.Errorf("%v was made, %v", there, err)
	}
}
