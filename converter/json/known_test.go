package json

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

// buoy is a schema with a value of it.
const buoy, buoyValue = `{"type":"struct","name":"buoy","fields":[{"field":"id","type":"int32","optional":false},{"field":"name","type":"string","optional":true}],"optional":false}`,
	`{"id":7,"name":"\u00e9"}`

func newConverter(t testing.TB) *Converter {
	c := new(Converter)
	if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, connector.Props{}), false); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKnownEnvelope has a converter that knows a schema's envelopes read all that begins
// like one as a converter does that knows none.
func TestKnownEnvelope(t *testing.T) {
	head := `{"schema":` + buoy + `,"payload":`
	for _, text := range []string{
		head + buoyValue + `}`, head + ` ` + buoyValue + ` }`, head + buoyValue + "}\n", head + `{"id":007}}`, head + `{"id":8}}`, head + `null}`,
		head, head + `}`, head + ` }`, head + "\u00a0}", head + "\ufeff" + buoyValue + `}`, head + buoyValue, head + buoyValue + `}}`, head + buoyValue + `} {}`,
		head + buoyValue + `,"more":1}`, head + buoyValue + `,"payload":{"id":9}}`, head + `{"id":1},"schema":{"type":"int32"}}`, head + `{"id":}}`, head + `{"id":"a"}}`, head + "{\"name\":\"\xff\"}}",
		strings.Replace(head, "int32", "int64", 1) + `{"id":5000000000}}`, "\ufeff" + head + buoyValue + `}`, `{"payload":` + buoyValue + `,"schema":` + buoy + `}`,
	} {
		known := newConverter(t)
		if _, _, err := known.ToConnect(t.Context(), "t", []byte(head+`{"id":1}}`)); err != nil {
			t.Fatal(err)
		}
		read := func(c *Converter) string {
			schema, v, err := c.ToConnect(t.Context(), "t", []byte(text))
			if err != nil {
				return fmt.Sprintf("%v: %v", connector.KindOf(err), err)
			}
			data, err := c.FromConnect(t.Context(), "t", schema, v)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		if diff := cmp.Diff(read(newConverter(t)), read(known)); diff != "" {
			t.Errorf("%q: known (+) is read otherwise than unknown (-):\n%s", text, diff)
		}
	}
}

// TestManySchemas has more schemas than envelopes are known of, in turn.
func TestManySchemas(t *testing.T) {
	c := newConverter(t)
	for range 3 {
		for i := range 2 * mostHeads {
			name := fmt.Sprint("buoy-", i)
			text := `{"schema":` + strings.Replace(buoy, `"buoy"`, `"`+name+`"`, 1) + `,"payload":{"id":` + fmt.Sprint(i) + `}}`
			schema, v, err := c.ToConnect(t.Context(), "t", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if id, _ := v.(*connector.Struct).Get("id"); schema.Name() != name || id != int32(i) {
				t.Errorf("%s is read as %s with the id %v", name, schema.Name(), id)
			}
		}
	}
	if len(c.heads) > mostHeads {
		t.Errorf("%d are known", len(c.heads))
	}
}

func BenchmarkRead(b *testing.B) {
	c := newConverter(b)
	data := []byte(`{"schema":` + buoy + `,"payload":` + buoyValue + `}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.ToConnect(b.Context(), "t", data); err != nil {
			b.Fatal(err)
		}
	}
}
