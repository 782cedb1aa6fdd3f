package avro

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
)

func registryURL(t *testing.T) string {
	t.Helper()
	s, err := registryd.Start(t.Context(), new(registryd.MemoryLog), registryd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s.URL()
}

func configured(t *testing.T, key bool, props connector.Props) *Converter {
	t.Helper()
	c := new(Converter)
	if err := c.Configure(connectortest.Context(t), connectortest.Configure(t, c, props), key); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Clauses: C7.
func TestConverter(t *testing.T) {
	converterSuite(t, registrytest.URL(t), "topic")
}

// converterSuite runs over any registry. The subjects are new to it.
func converterSuite(t *testing.T, url, subject string) {
	s := connector.StructOf("suite.S", connector.F("a", connector.Int32Schema), connector.F("b", connector.OptionalBytesSchema),
		connector.F("c", connector.ArrayOf(connector.Float32Schema)), connector.F("d", connector.DecimalSchema(2)),
		connector.F("m", connector.MapOf(connector.StringSchema, connector.Int64Schema)), connector.F("t", connector.TimestampSchema))
	value := connector.NewStruct(s).Set("a", int32(1)).Set("c", []any{float32(0.5)}).Set("d", connector.NewDecimal(-12345, 2)).
		Set("m", map[string]any{"x": int64(1), "y": int64(2)}).Set("t", time.UnixMilli(1564349199123).UTC())
	for name, values := range map[string][]connectortest.Pair{
		"struct": {{Schema: s, Value: value}}, "string": {{Schema: connector.StringSchema, Value: "é"}}, "int64": {{Schema: connector.Int64Schema, Value: int64(1) << 60}},
	} {
		connectortest.Converter(t, connectortest.ConverterCase{
			New:   func() connector.Converter { return new(Converter) },
			Props: connector.Props{"schema.registry.url": url, "subject": subject + "-" + name}, Values: values,
			Bad: [][]byte{{}, []byte(`{"a":1}`), {0, 0, 0}, {1, 0, 0, 0, 1, 2}, {0, 0x3f, 0xff, 0xff, 0xff, 2}},
		})
	}
}

var stats = connector.StructOf("ifcb.stats.value", connector.F("roi", connector.Int32Schema), connector.F("prob", connector.Float64Schema),
	connector.F("extra", connector.StringSchema))

const statsLatest = `{"type":"record","name":"value","namespace":"ifcb.stats","fields":[{"name":"prob","type":"float"},{"name":"roi","type":"int"},{"name":"note","type":"string","default":"none"}]}`

// Clauses: C7.
func TestUseLatestVersion(t *testing.T) {
	url := registryURL(t)
	if _, err := registrytest.Client(t, url, registry.Avro).Register(t.Context(), "ifcb-stats-value", statsLatest); err != nil {
		t.Fatal(err)
	}
	c := configured(t, false, connector.Props{"schema.registry.url": url, "subject": "ifcb-stats-value", "use.latest.version": "true"})
	value := connector.NewStruct(stats).Set("roi", int32(7)).Set("prob", 0.1).Set("extra", "not in the schema")
	data, err := c.FromConnect(t.Context(), "any", stats, value)
	if err != nil {
		t.Fatal(err)
	}
	schema, back, err := c.ToConnect(t.Context(), "any", data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{float32(0.1), int32(7), "none"}, back.(*connector.Struct).Values()); diff != "" {
		t.Errorf("a float64 is rounded to the float of the schema, fields by name: %s", diff)
	}
	if again, _, _ := c.ToConnect(t.Context(), "any", data); again != schema {
		t.Error("the second record of a schema has another Connect schema")
	}
	plain := map[string]any{"roi": int32(7), "prob": float32(0.5)}
	if _, err := c.FromConnect(t.Context(), "any", nil, plain); err != nil {
		t.Errorf("a map without schema: %v", err)
	}
	for name, bad := range map[string]struct {
		value any
		want  string
	}{
		"missing": {connector.StructOf("x", connector.F("roi", connector.Int32Schema)), "subject ifcb-stats-value: record ifcb.stats.value needs prob, which the value does not have"},
		"type":    {connector.StructOf("x", connector.F("roi", connector.StringSchema), connector.F("prob", connector.OptionalFloat32Schema)), "field roi: expected int, the value's schema says string (latest.compatibility.strict=false"},
		"null":    {connector.StructOf("x", connector.F("roi", connector.Int32Schema), connector.F("prob", connector.OptionalFloat32Schema)), "field prob: expected float, got null"},
	} {
		s := bad.value.(*connector.Schema)
		v := connector.NewStruct(s)
		if f, _ := s.Field("roi"); f.Schema.Type() == connector.Int32 {
			v.Set("roi", int32(1))
		}
		_, err := c.FromConnect(t.Context(), "any", s, v)
		if err == nil || !strings.Contains(err.Error(), bad.want) || connector.KindOf(err) != connector.KindData {
			t.Errorf("%s: %v (%s), want data with %q", name, err, connector.KindOf(err), bad.want)
		}
	}
	loose := configured(t, false, connector.Props{"schema.registry.url": url, "subject": "ifcb-stats-value", "use.latest.version": "true", "latest.compatibility.strict": "false"})
	odd := connector.StructOf("x", connector.F("roi", connector.OptionalStringSchema), connector.F("prob", connector.Float32Schema))
	_, err = loose.FromConnect(t.Context(), "any", odd, connector.NewStruct(odd).Set("roi", "7").Set("prob", float32(1)))
	if err == nil || !strings.Contains(err.Error(), "field roi: expected int, got string") {
		t.Errorf("without the check: %v", err)
	}
}

func TestLatestIsAskedAgain(t *testing.T) {
	url := registryURL(t)
	r := registrytest.Client(t, url, registry.Avro)
	one := connector.StructOf("n.v", connector.F("a", connector.Int32Schema), connector.F("b", connector.Int32Schema))
	if _, err := r.Register(t.Context(), "s", `{"type":"record","name":"n.v","fields":[{"name":"a","type":"int"}]}`); err != nil {
		t.Fatal(err)
	}
	id := func(c *Converter) int {
		data, err := c.FromConnect(t.Context(), "any", one, connector.NewStruct(one).Set("a", int32(1)).Set("b", int32(2)))
		if err != nil {
			t.Fatal(err)
		}
		return int(binary.BigEndian.Uint32(data[1:]))
	}
	kept := configured(t, false, connector.Props{"schema.registry.url": url, "subject": "s", "use.latest.version": "true"})
	fresh := configured(t, false, connector.Props{"schema.registry.url": url, "subject": "s", "use.latest.version": "true", "latest.cache.ttl.sec": "0"})
	before := id(kept)
	if id(fresh) != before {
		t.Fatal("two converters see two newest versions")
	}
	got, err := r.Register(t.Context(), "s", `{"type":"record","name":"n.v","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if id(kept) != before {
		t.Error("the newest version is asked for again without a time to live")
	}
	if id(fresh) != got.ID {
		t.Error("the newest version is not asked for again after its time to live")
	}
}

// TestEvolution reads each record as it was written.
//
// Clauses: C7.
func TestEvolution(t *testing.T) {
	url := registryURL(t)
	c := configured(t, false, connector.Props{"schema.registry.url": url})
	old := connector.StructOf("n.v", connector.F("a", connector.Int32Schema))
	young := connector.StructOf("n.v", connector.F("a", connector.Int32Schema), connector.F("b", connector.OptionalStringSchema))
	first, err := c.FromConnect(t.Context(), "topic", old, connector.NewStruct(old).Set("a", int32(1)))
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.FromConnect(t.Context(), "topic", young, connector.NewStruct(young).Set("a", int32(2)).Set("b", "x"))
	if err != nil {
		t.Fatal(err)
	}
	for i, data := range [][]byte{first, second, first} {
		s, v, err := c.ToConnect(t.Context(), "topic", data)
		if err != nil {
			t.Fatal(err)
		}
		want := []*connector.Schema{old, young, old}[i]
		if !s.Equal(want) || connector.Validate(s, v) != nil {
			t.Errorf("record %d is read with %d fields", i, len(s.Fields()))
		}
	}
	odd := connector.StructOf("n.v", connector.F("a", connector.StringSchema))
	_, err = c.FromConnect(t.Context(), "topic", odd, connector.NewStruct(odd).Set("a", "x"))
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "incompatible") {
		t.Errorf("an incompatible schema: %v (%s)", err, connector.KindOf(err))
	}
}

// Clauses: C7.
func TestSubjects(t *testing.T) {
	url := registryURL(t)
	s := connector.StructOf("ns.Rec", connector.F("a", connector.Int32Schema))
	v := connector.NewStruct(s).Set("a", int32(1))
	for want, c := range map[string]struct {
		key   bool
		props connector.Props
	}{
		"topic-value":  {false, connector.Props{}},
		"topic-key":    {true, connector.Props{}},
		"ns.Rec":       {false, connector.Props{"value.subject.name.strategy": "io.confluent.kafka.serializers.subject.RecordNameStrategy"}},
		"topic-ns.Rec": {true, connector.Props{"key.subject.name.strategy": "TopicRecordNameStrategy"}},
		"fixed":        {false, connector.Props{"subject": "fixed", "value.subject.name.strategy": "RecordNameStrategy"}},
	} {
		c.props["schema.registry.url"] = url
		if _, err := configured(t, c.key, c.props).FromConnect(t.Context(), "topic", s, v); err != nil {
			t.Error(err)
		}
		if _, err := registrytest.Client(t, url, registry.Avro).Latest(t.Context(), want); err != nil {
			t.Errorf("%v", err)
		}
	}
	c := configured(t, false, connector.Props{"schema.registry.url": url, "value.subject.name.strategy": "RecordNameStrategy"})
	if _, err := c.FromConnect(t.Context(), "topic", connector.StringSchema, "x"); err == nil || !strings.Contains(err.Error(), "RecordNameStrategy needs a record with a name") {
		t.Errorf("%v", err)
	}
}

func TestWithoutAutoRegister(t *testing.T) {
	url := registryURL(t)
	c := configured(t, false, connector.Props{"schema.registry.url": url, "auto.register.schemas": "false"})
	_, err := c.FromConnect(t.Context(), "topic", connector.StringSchema, "x")
	if connector.KindOf(err) != connector.KindData || !strings.Contains(err.Error(), "Subject 'topic-value' not found.") {
		t.Errorf("%v", err)
	}
	if _, err := registrytest.Client(t, url, registry.Avro).Register(t.Context(), "topic-value", `"string"`); err != nil {
		t.Fatal(err)
	}
	if _, err := c.FromConnect(t.Context(), "topic", connector.StringSchema, "x"); err != nil {
		t.Error(err)
	}
}

func TestTombstones(t *testing.T) {
	c := configured(t, false, connector.Props{"schema.registry.url": "http://127.0.0.1:1"}) // which is not asked
	for _, s := range []*connector.Schema{nil, connector.StringSchema, stats} {
		if data, err := c.FromConnect(t.Context(), "topic", s, nil); data != nil || err != nil {
			t.Errorf("null is written as %v (%v)", data, err)
		}
	}
	if s, v, err := c.ToConnect(t.Context(), "topic", nil); s != nil || v != nil || err != nil {
		t.Errorf("null is read as %v, %v (%v)", s, v, err)
	}
}

// TestOutage is retriable while the registry is away, and not asked once it knows.
func TestOutage(t *testing.T) {
	up := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprint(w, `{"schema":"\"string\""}`)
	}))
	t.Cleanup(s.Close)
	c := configured(t, false, connector.Props{"schema.registry.url": s.URL})
	data := []byte{0, 0, 0, 0, 9, 2, 'x'}
	if _, _, err := c.ToConnect(t.Context(), "topic", data); connector.KindOf(err) != connector.KindRetriable {
		t.Errorf("%v is %s, want retriable", err, connector.KindOf(err))
	}
	up = true
	if _, v, err := c.ToConnect(t.Context(), "topic", data); v != "x" || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	up = false
	if _, v, err := c.ToConnect(t.Context(), "topic", data); v != "x" || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestConfigProblems(t *testing.T) {
	for want, props := range map[string]connector.Props{
		`Missing required configuration "schema.registry.url"`:                       {},
		"schema.registry.url must be http://host:port":                               {"schema.registry.url": "localhost:8081"},
		"basic.auth.user.info: it must be user:password":                             {"schema.registry.url": "http://h:1", "basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "hush"},
		"bearer.auth.token: it must be set":                                          {"schema.registry.url": "http://h:1", "bearer.auth.credentials.source": "STATIC_TOKEN"},
		"schema.registry.ssl.truststore.location: open nowhere.pem":                  {"schema.registry.url": "http://h:1", "schema.registry.ssl.truststore.location": "nowhere.pem"},
		"Invalid value Best for configuration key.subject.name.strategy: it must be": {"schema.registry.url": "http://h:1", "key.subject.name.strategy": "Best"},
	} {
		_, err := connector.ParsePlugin(new(Converter), props)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("a secret is printed: %v", err)
		}
	}
}

func TestRegistered(t *testing.T) {
	for _, name := range []string{"avro", "io.confluent.connect.avro.AvroConverter", "AvroConverter"} {
		if _, err := connector.Plugins.New(connector.ConverterType, name); err != nil {
			t.Error(err)
		}
	}
}

// TestUseSchemaID writes into the schema with an id, whatever the subject's newest.
func TestUseSchemaID(t *testing.T) {
	url := registryURL(t)
	got, err := registrytest.Client(t, url, registry.Avro).Register(t.Context(), "other", statsLatest)
	if err != nil {
		t.Fatal(err)
	}
	props := connector.Props{"schema.registry.url": url, "use.schema.id": fmt.Sprint(got.ID)}
	data, err := configured(t, false, props).FromConnect(t.Context(), "topic", stats, connector.NewStruct(stats).Set("roi", int32(7)).Set("prob", 0.5).Set("extra", "x"))
	if err != nil || int(binary.BigEndian.Uint32(data[1:])) != got.ID {
		t.Errorf("%x, %v", data, err)
	}
	odd := connector.StructOf("x", connector.F("roi", connector.StringSchema), connector.F("prob", connector.Float32Schema))
	_, err = configured(t, false, props).FromConnect(t.Context(), "topic", odd, connector.NewStruct(odd).Set("roi", "7").Set("prob", float32(1)))
	if err == nil || !strings.Contains(err.Error(), "schema 1: ") || !strings.Contains(err.Error(), "(id.compatibility.strict=false leaves it to the values)") {
		t.Errorf("%v", err)
	}
}

// With use.latest.version a value is read as one of the newest schema of its subject.
//
// Clauses: C7.
func TestReadsAsTheNewest(t *testing.T) {
	url := registryURL(t)
	old := connector.StructOf("n.v", connector.F("a", connector.Int32Schema), connector.F("gone", connector.OptionalStringSchema))
	young := connector.StructOf("n.v", connector.F("a", connector.Int64Schema), connector.F("new", connector.StringSchema.WithDefault("d")))
	writer := configured(t, false, connector.Props{"schema.registry.url": url})
	first, err := writer.FromConnect(t.Context(), "topic", old, connector.NewStruct(old).Set("a", int32(1)).Set("gone", "x"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := writer.FromConnect(t.Context(), "topic", young, connector.NewStruct(young).Set("a", int64(2)).Set("new", "y"))
	if err != nil {
		t.Fatal(err)
	}
	newest := configured(t, false, connector.Props{"schema.registry.url": url, "use.latest.version": "true", "auto.register.schemas": "false"})
	for _, c := range []struct {
		data []byte
		want []any
	}{{first, []any{int64(1), "d"}}, {second, []any{int64(2), "y"}}, {first, []any{int64(1), "d"}}} {
		s, v, err := newest.ToConnect(t.Context(), "topic", c.data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, v.(*connector.Struct).Values()); diff != "" || !s.Equal(young) {
			t.Errorf("%v: %s", s, diff)
		}
	}
	if s, _, err := writer.ToConnect(t.Context(), "topic", first); err != nil || !s.Equal(old) {
		t.Errorf("without it: %v, %v", s, err)
	}
}
