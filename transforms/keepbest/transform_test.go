package keepbest

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

var schema = connector.StructOf("classified",
	connector.F("pid", connector.StringSchema), connector.F("roi", connector.Int32Schema), connector.F("width", connector.Int32Schema),
	connector.F("name", connector.StringSchema), connector.F("prob", connector.Float32Schema),
	connector.F("classifier", connector.StringSchema), connector.F("classification_time", connector.Int64Schema))

func asStruct(roi int32, width int32, name string, prob float32, at int64) connector.Record {
	s := connector.StructFrom(schema, []any{"D20190728T212639_IFCB104", roi, width, name, prob, "m:" + name, at})
	return connector.NewRecord("t", connector.StringSchema, "k", schema, s)
}

func asMap(key string, name string, prob any) connector.Record {
	return connector.NewRecord("t", nil, key, nil, map[string]any{"name": name, "prob": prob, "classifier": "m:1", "classification_time": int64(9), "image": "x"})
}

func configured(t testing.TB, props connector.Props) *Transform {
	t.Helper()
	tr := new(Transform)
	if err := tr.Configure(connector.Context{}, connectortest.Configure(t, tr, props)); err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestPromises(t *testing.T) {
	connectortest.Transform(t, connectortest.TransformCase{
		New: func() connector.Transform { return new(Transform) }, Props: connector.Props{"key": "pid,roi"},
		Records: []connector.Record{asStruct(1, 10, "a", 0.5, 1), asStruct(1, 11, "b", 0.25, 2), asStruct(2, 10, "c", 0.1, 3), asStruct(1, 10, "d", 0.75, 4)},
	})
	connectortest.Transform(t, connectortest.TransformCase{
		New:     func() connector.Transform { return new(Transform) },
		Props:   connector.Props{},
		Records: []connector.Record{asMap("a", "x", 0.5), asMap("a", "y", json.Number("0.25")), asMap("b", "z", float32(1)), asMap("b", "w", "1")},
	})
}

// TestBestWins: the highest score ever; of equal ones the first; other fields
// are those of the record at hand.
func TestBestWins(t *testing.T) {
	tr := configured(t, connector.Props{"key": "pid,roi"})
	store := new(connectortest.Store)
	for i, step := range []struct {
		in   connector.Record
		want connector.Record
	}{
		{asStruct(1, 10, "a", 0.5, 1), asStruct(1, 10, "a", 0.5, 1)},
		{asStruct(1, 11, "b", 0.4, 2), asStruct(1, 11, "a", 0.5, 1)},
		{asStruct(2, 12, "c", 0.1, 3), asStruct(2, 12, "c", 0.1, 3)},
		{asStruct(1, 13, "d", 0.5, 4), asStruct(1, 13, "a", 0.5, 1)},
		{asStruct(1, 14, "e", 0.51, 5), asStruct(1, 14, "e", 0.51, 5)},
		{asStruct(1, 10, "a", 0.5, 1), asStruct(1, 10, "e", 0.51, 5)},
	} {
		out, keep, err := tr.ApplyStateful(t.Context(), store, step.in)
		if err != nil || !keep {
			t.Fatalf("step %d: %v %v", i, keep, err)
		}
		if diff := cmp.Diff(step.want.Value.(*connector.Struct).Values(), out.Value.(*connector.Struct).Values()); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	if store.Len() != 2 {
		t.Errorf("the store has %d keys", store.Len())
	}
}

func TestTypesComeBack(t *testing.T) {
	for _, v := range []any{nil, "text \x00 é", true, int8(-3), int16(300), int32(-70000), int64(math.MaxInt64), float32(0.1), 0.1, math.Inf(1), json.Number("0.10"), []byte{0, 255}, map[string]any{"a": float32(0.25), "b": nil}, map[string]any{},
		time.UnixMilli(1564349199123).UTC(), connector.NewDecimal(-12345, 2), big.NewInt(1 << 62), []any{int8(1), "x", []any{}}, map[any]any{int8(1): "one", "two": nil}} {
		stored, err := typedOf(v)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(stored)
		if err != nil {
			t.Fatal(err)
		}
		var back typed
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		got, err := back.value()
		if err != nil {
			t.Fatal(err)
		}
		if !connector.ValuesEqual(v, got) {
			t.Errorf("%T: got %#v, want %#v", v, got, v)
		}
	}
	if _, err := typedOf(map[string]any{"a": []any{struct{}{}}}); err == nil {
		t.Error("a struct is kept")
	}
}

// TestAnyOrderOfRepeats: whatever is repeated, what comes out last for a key is
// its highest score.
func TestAnyOrderOfRepeats(t *testing.T) {
	tr := configured(t, connector.Props{"key": "pid,roi"})
	rapid.Check(t, func(rt *rapid.T) {
		store := new(connectortest.Store)
		best := map[int32]float32{}
		for range rapid.IntRange(1, 30).Draw(rt, "records") {
			roi, prob := rapid.Int32Range(1, 3).Draw(rt, "roi"), rapid.Float32Range(0, 1).Draw(rt, "prob")
			best[roi] = max(best[roi], prob)
			for range rapid.IntRange(1, 2).Draw(rt, "times") {
				out, _, err := tr.ApplyStateful(t.Context(), store, asStruct(roi, 1, "x", prob, 1))
				if err != nil {
					rt.Fatal(err)
				}
				if got, _ := out.Value.(*connector.Struct).Get("prob"); got != best[roi] {
					rt.Fatalf("roi %d has %v, expected %v", roi, got, best[roi])
				}
			}
		}
	})
}

func TestRecordKey(t *testing.T) {
	tr := configured(t, connector.Props{})
	store := new(connectortest.Store)
	keySchema := connector.StructOf("key", connector.F("pid", connector.StringSchema), connector.F("roi", connector.Int32Schema))
	wide := connector.StructOf("key", connector.F("pid", connector.StringSchema), connector.F("roi", connector.Int64Schema))
	one, two := asMap("", "a", 0.5), asMap("", "b", 0.4)
	one.Key, two.Key = connector.StructFrom(keySchema, []any{"p", int32(7)}), connector.StructFrom(wide, []any{"p", int64(7)})
	for _, r := range []connector.Record{one, two} {
		out, _, err := tr.ApplyStateful(t.Context(), store, r)
		if err != nil {
			t.Fatal(err)
		}
		if name := out.Value.(map[string]any)["name"]; name != "a" {
			t.Errorf("name is %v", name)
		}
	}
}

func TestErrors(t *testing.T) {
	without := asMap("k", "a", 0.5)
	delete(without.Value.(map[string]any), "classifier")
	noKey := asMap("k", "a", 0.5)
	noKey.Key = nil
	for _, c := range []struct {
		name  string
		props connector.Props
		r     connector.Record
		want  string
	}{
		{"no score", connector.Props{}, asMap("k", "a", nil), "field prob with the score is missing or null: transform classify"},
		{"text score", connector.Props{}, asMap("k", "a", "0.5"), "expected a number, got string"},
		{"NaN", connector.Props{}, asMap("k", "a", math.NaN()), "NaN is no score"},
		{"no field", connector.Props{}, without, "field classifier is missing"},
		{"no key field", connector.Props{"key": "pid"}, asMap("k", "a", 0.5), "field pid of the key is missing or null"},
		{"no key", connector.Props{}, noKey, "the record has no key"},
		{"damaged", connector.Props{}, asMap("damaged", "a", 0.5), "is damaged"},
		{"other fields", connector.Props{}, asMap("other", "a", 0.5), "it has no field name; give the transform another store"},
	} {
		store := new(connectortest.Store)
		for key, value := range map[string]string{"damaged": "{", "other": `{"score":1}`} {
			if err := store.Put([]byte(`[{"type":"string","value":"`+key+`"}]`), []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := configured(t, c.props).ApplyStateful(t.Context(), store, c.r)
		if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if _, _, err := new(Transform).Apply(t.Context(), without); connector.KindOf(err) != connector.KindFatal {
		t.Errorf("without a store: %v", err)
	}
}

func TestConfiguration(t *testing.T) {
	for text, want := range map[string]time.Duration{"30d": 720 * time.Hour, "2w": 336 * time.Hour, "90m": 90 * time.Minute, "forever": 0} {
		if got := configured(t, connector.Props{"retention": text}).Store(); got.Retention != want || got.Name != "keep-best" {
			t.Errorf("%s: %+v", text, got)
		}
	}
	for _, c := range []struct{ key, value, want string }{
		{"retention", "30", "expected a time such as 12h, 30d or 8w, or forever"},
		{"retention", "-1d", "expected a time"},
		{"retention", "9999999d", "expected a time"},
		{"store", "a b", "letters, digits"},
		{"fields", "name,classifier", "it must hold the score, prob"},
		{"fields", "prob,name,name", "there twice"},
	} {
		if _, err := connector.ParsePlugin(new(Transform), connector.Props{c.key: c.value}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: got %v, want %s", c.key, c.value, err, c.want)
		}
	}
}
