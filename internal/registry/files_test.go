package registry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/avro"
	"github.com/axiom-data-science/hydraulics/internal/protobuf"
)

// related are files of each type that refer to each other, the one that refers first by name.
var related = fstest.MapFS{
	"a-sample.avsc": {Data: []byte(`{"type":"record","name":"Sample","namespace":"ocean.avro","fields":[{"name":"at","type":"Place"},{"name":"depth","type":["null","ocean.units.Metre"]}]}`)},
	"b-place.avsc":  {Data: []byte(`{"type":"record","name":"Place","namespace":"ocean.avro","fields":[{"name":"lat","type":"double"},{"name":"high","type":"ocean.units.Metre"}]}`)},
	"c-metre.avsc":  {Data: []byte(`{"type":"record","name":"Metre","namespace":"ocean.units","fields":[{"name":"n","type":"double"}]}`)},
	"sample.proto":  {Data: []byte("syntax = \"proto3\";\npackage ocean.proto;\nimport \"units.proto\";\nmessage Sample { Metre depth = 1; }\n")},
	"units.proto":   {Data: []byte("syntax = \"proto3\";\npackage ocean.proto;\nmessage Metre { double n = 1; }\n")},
	"sample.json":   {Data: []byte(`{"type":"object","title":"ocean.json.Sample","properties":{"depth":{"$ref":"units.json"},"high":{"$ref":"https://ocean/metre#/definitions/m"}}}`)},
	"units.json":    {Data: []byte(`{"type":"number","title":"ocean.json.Units"}`)},
	"zmetre.json":   {Data: []byte(`{"$id":"https://ocean/metre","title":"ocean.json.Metre","definitions":{"m":{"type":"number"}}}`)},
}

func TestUpdateWithReferences(t *testing.T) {
	url := inProcess(t)
	files, err := FindFiles(related, "all")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	want := []string{"c-metre.avsc", "b-place.avsc", "a-sample.avsc", "zmetre.json", "units.json", "sample.json", "units.proto", "sample.proto"}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("order: %s", d)
	}
	for range 2 { // the second time all are there
		if err := Update(t.Context(), client(t, Options{URLs: []string{url}}), files, false, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	for subject, c := range map[string]struct {
		typ  Type
		want []string
	}{
		"ocean-avro-Sample":  {Avro, []string{"ocean.units.Metre", "ocean.avro.Place"}},
		"ocean-proto-Sample": {Protobuf, []string{"units.proto"}},
		"ocean-json-Sample":  {JSON, []string{"https://ocean/metre", "units.json"}},
	} {
		got, err := client(t, Options{URLs: []string{url}, Type: c.typ}).Latest(t.Context(), subject)
		if err != nil {
			t.Error(err)
			continue
		}
		var refs []string
		for _, r := range got.References {
			refs = append(refs, r.Name)
		}
		if d := cmp.Diff(c.want, refs); d != "" || got.Version != 1 {
			t.Errorf("%s version %d: %s", subject, got.Version, d)
		}
		if c.typ == Avro {
			if _, err := avro.Parse(got.Text, got.Referred()...); err != nil {
				t.Error(err)
			}
		}
		if c.typ == Protobuf {
			if _, err := protobuf.Parse(got.Text, protobuf.Import{Path: "units.proto", Text: got.References[0].Text}); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestUpdateThatFails(t *testing.T) {
	files, err := FindFiles(fstest.MapFS{
		"a.proto": {Data: []byte("syntax = \"proto3\";\npackage p;\nimport \"b.proto\";\nmessage A {}\n")},
		"b.proto": {Data: []byte("message B {}")},
		"c.json":  {Data: []byte(`{"title":"nameless"}`)},
		"d.json":  {Data: []byte(`{`)},
		"e.proto": {Data: []byte("package p;\nimport \"f.proto\";\nmessage E {}\n")},
		"f.proto": {Data: []byte("package p;\nimport \"e.proto\";\nmessage F {}\n")},
	}, "all")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	err = Update(t.Context(), client(t, Options{URLs: []string{inProcess(t)}}), files, false, slog.New(slog.NewTextHandler(&log, nil)))
	for _, want := range []string{"b.proto: protobuf schema: it must have a package", "a.proto: it refers to b.proto, which is not registered",
		"c.json: json schema: it must have a title with a dot", "d.json: the file is not JSON", "e.proto: ", "f.proto: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}
