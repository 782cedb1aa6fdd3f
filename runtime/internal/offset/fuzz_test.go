package offset

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
)

// No record, however it was broken, stops a worker or changes the offset of another
// connector; a connector's own is right, or an error that says where it is, and not
// gone.
func FuzzTake(f *testing.F) {
	for _, seed := range [][2]string{
		{`["c",{"filename":"a"}]`, `{"position":7}`}, {`["c",{"b":1,"a":2}]`, `{"o":1.5}`}, {`["c",{"filename":"a"}]`, ""}, {`["c",{"filename":"a"}]`, `{"posit`},
		{`["c",{"fi`, `{"position":7}`}, {`["c",null]`, "null"}, {`["c"]`, "{}"}, {`[7,{}]`, "[]"}, {`["c",{"a":{"b":[1]}}]`, `{"o":{"p":1}}`},
		{`{"schema":null,"payload":["c",{"filename":"a"}]}`, `{"schema":null,"payload":{"position":7}}`}, {`{"schema":null}`, `{"payload":7}`},
		{`["c",{"n":12345678901234567890}]`, `{"o":1e400}`}, {`["\ud800",{}]`, `{"\ud800":1}`}, {"", ""}, {"\xff", "\x00"}, {`["c",{"a":1,"a":2}]`, `{"o":1,"o":2}`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), seed[1] == "")
	}
	f.Fuzz(func(t *testing.T, key, value []byte, tombstone bool) {
		if tombstone {
			value = nil
		}
		k := &Kafka{log: slog.New(slog.DiscardHandler), offsets: map[string]*kept{}}
		k.take(compacted.Record{Key: []byte(`["bystander",{"p":1}]`), Value: []byte(`{"o":2}`)})
		k.take(compacted.Record{Key: key, Value: value})
		seen := false
		for same, e := range k.offsets {
			name, partition, err := parseKey(same)
			if err != nil {
				t.Fatalf("%q was taken as %q, which is no key: %v", key, same, err)
			}
			if again, err := Key(name, partition); err != nil || again != same {
				t.Errorf("%q is written as %q (%v)", same, again, err)
			}
			offset, err := e.offset(same)
			if name == "bystander" {
				seen = true
				continue
			}
			if err == nil && offset != nil {
				written, err := canonical(offset)
				if err != nil {
					t.Fatal(err)
				}
				var back map[string]any
				if err := decode(json.RawMessage(written), &back); err != nil || !cmp.Equal(offset, back) {
					t.Errorf("%s: %v: %s", same, err, cmp.Diff(offset, back))
				}
			}
		}
		if !seen && !(tombstone && k.offsets[`["bystander",{"p":1}]`] == nil && names(key, "bystander")) {
			t.Errorf("%q removes a bystander", key)
		}
	})
}

// names tells whether a key is of a connector.
func names(key []byte, connector string) bool {
	inner, err := payload(key)
	if err != nil {
		return false
	}
	name, _, err := parseKey(string(inner))
	return err == nil && name == connector
}
