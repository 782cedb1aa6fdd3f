package connector

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestKindOfSeesThroughWrapping(t *testing.T) {
	err := fmt.Errorf("outer: %w", Retriable(errors.New("refused"), After(time.Second), Attempts(3)))
	if k := KindOf(err); k != KindRetriable {
		t.Errorf("kind %s, want retriable", k)
	}
	var e *Error
	if !errors.As(err, &e) || e.After != time.Second || e.Attempts != 3 {
		t.Errorf("options are lost: %+v", e)
	}
	if KindOf(errors.New("plain")) != KindUnmarked || Data(nil) != nil || Fatal(nil) != nil || Retriable(nil) != nil {
		t.Error("an error that nobody marked, or none at all, has a kind")
	}
}

// Clauses: C2.
func TestStructPut(t *testing.T) {
	schema := StructOf("s",
		F("n", Int32Schema),
		F("o", OptionalStringSchema),
		F("d", Int32Schema.WithDefault(int32(7))),
		F("a", ArrayOf(Float32Schema).AsOptional()),
		F("when", TimestampSchema.AsOptional()),
	)
	tests := []struct {
		field string
		value any
		err   string
	}{
		{"n", int32(1), ""},
		{"n", int64(1), "field n: expected int32, got int64"},
		{"n", nil, `null used for required field: "n", schema type: INT32`},
		{"o", nil, ""},
		{"d", nil, `null used for required field: "d"`},
		{"a", []any{float32(1), "x"}, "field a[1]: expected float32, got string"},
		{"a", []any{float32(1)}, ""},
		{"when", int64(1), "field when: expected int64 org.apache.kafka.connect.data.Timestamp, got int64"},
		{"when", time.UnixMilli(1), ""},
		{"zz", int32(1), "zz is not a valid field name"},
	}
	for _, tt := range tests {
		err := NewStruct(schema).Put(tt.field, tt.value)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("put %s=%v: %v, want %q", tt.field, tt.value, err, tt.err)
		}
	}
	s := NewStruct(schema).Set("n", int32(1))
	if err := s.Validate(); err != nil {
		t.Errorf("an unset field with a default is not valid: %v", err)
	}
	if v, ok := s.Get("d"); !ok || v != int32(7) {
		t.Errorf("unset field gives %v, want its default", v)
	}
	if s.At(2) != nil {
		t.Error("At fills in the default")
	}
}

func TestCloneDoesNotShare(t *testing.T) {
	schema := StructOf("", F("n", Int32Schema))
	a := NewStruct(schema).Set("n", int32(1))
	b := a.Clone().Set("n", int32(2))
	if a.At(0) != int32(1) || b.At(0) != int32(2) || a.Equal(b) {
		t.Error("a clone shares its fields")
	}
	h := Headers{}.With("a", nil, 1)
	h1, h2 := h.With("b", nil, 2), h.With("c", nil, 3)
	if h1[1].Key != "b" || h2[1].Key != "c" || len(h.Without("a")) != 0 {
		t.Error("headers made from the same ones share memory")
	}
}

// Clauses: C1.
func TestSchemaEqual(t *testing.T) {
	make := func() *Schema {
		return StructOf("n", F("a", Int32Schema.WithDefault(int32(1))), F("m", MapOf(StringSchema, Float64Schema))).WithDoc("d").WithParameter("p", "1")
	}
	a := make()
	if !a.Equal(make()) {
		t.Error("equal schemas differ")
	}
	for name, b := range map[string]*Schema{
		"optional": a.AsOptional(), "name": a.WithName("x"), "version": a.WithVersion(2), "doc": a.WithDoc(""),
		"parameter": a.WithParameter("p", "2"), "default": StructOf("n", F("a", Int32Schema), a.Fields()[1]), "nil": nil,
	} {
		if a.Equal(b) {
			t.Errorf("schemas that differ in %s are equal", name)
		}
	}
}

// Clauses: C2.
func TestDecimalBytes(t *testing.T) {
	for _, n := range []int64{0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, -32768, 1 << 40, -(1 << 40)} {
		d := NewDecimal(n, 2)
		if back := DecimalFromBytes(d.Bytes(), 2); !back.Equal(d) {
			t.Errorf("%d comes back as %s of bytes %x", n, back.Unscaled, d.Bytes())
		}
	}
	tests := map[string]Decimal{"1.23": NewDecimal(123, 2), "-0.05": NewDecimal(-5, 2), "5000": NewDecimal(5, -3), "7": NewDecimal(7, 0)}
	for want, d := range tests {
		if d.String() != want {
			t.Errorf("%v prints %s, want %s", d, d.String(), want)
		}
	}
	if (Decimal{Unscaled: big.NewInt(10), Scale: 1}).Equal(NewDecimal(100, 2)) {
		t.Error("decimals of different scale are equal")
	}
}

type thing struct{ info Info }

func (p thing) Info() Info            { return p.info }
func (p thing) ConfigDef() *ConfigDef { return NewConfigDef() }

// Clauses: B10.
func TestRegistryNames(t *testing.T) {
	r := new(Registry)
	add := func(i Info) { r.Add(SinkType, func() Plugin { return thing{i} }) }
	add(Info{Name: "file-sink", Class: "org.apache.kafka.connect.file.FileStreamSinkConnector"})
	add(Info{Name: "postgres", Aliases: []string{"io.confluent.connect.jdbc.JdbcSinkConnector", "io.aiven.connect.jdbc.JdbcSinkConnector"}})
	add(Info{Name: "other", Class: "org.example.FileStreamSink2Connector"})
	for name, want := range map[string]string{
		"file-sink": "file-sink", "FileStreamSink": "file-sink", "FileStreamSinkConnector": "file-sink",
		"org.apache.kafka.connect.file.FileStreamSinkConnector": "file-sink",
		"io.aiven.connect.jdbc.JdbcSinkConnector":               "postgres", "JdbcSink": "postgres",
	} {
		if i, ok := r.Lookup(SinkType, name); !ok || i.Name != want {
			t.Errorf("%s is %q, want %s", name, i.Name, want)
		}
	}
	_, err := r.New(SinkType, "jdbc")
	if err == nil || !strings.Contains(err.Error(), "file-sink, other, postgres") {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := r.New(SourceType, "postgres"); err == nil {
		t.Error("a sink is found as a source")
	}
	// A list of all connectors asks for each of them.
	for _, name := range []string{"FileStreamSink", "io.aiven.connect.jdbc.JdbcSinkConnector"} {
		if n := testing.AllocsPerRun(10, func() { r.Lookup(SinkType, name) }); n > 0 {
			t.Errorf("to look up %s takes %v allocations", name, n)
		}
	}
}

func TestEverythingWrongAtOnce(t *testing.T) {
	def := NewConfigDef(
		Key{Name: "batch.size", Type: IntKey, Default: 10, Check: Between(1, 100)},
		Key{Name: "topic", Type: StringKey, Required: true},
		Key{Name: "password", Type: PasswordKey},
		Key{Name: "mode", Type: StringKey, Default: "a", Check: OneOf("a", "b")},
	)
	_, err := def.Parse(Props{"batch.size": "many", "mode": "c", "password": "pss"})
	if err == nil || KindOf(err) != KindFatal {
		t.Fatalf("error %v is not fatal", err)
	}
	for _, want := range []string{
		"Invalid value many for configuration batch.size: Not a number of type INT",
		`Missing required configuration "topic" which has no default value.`,
		"Invalid value c for configuration mode: String must be one of: a, b",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	conf, err := def.Parse(Props{"topic": " t ", "password": "pss", "unknown": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if conf.String("topic") != "t" || conf.Int("batch.size") != 10 || conf.Password("password").Secret() != "pss" {
		t.Errorf("parsed %+v", conf)
	}
	secret := conf.Password("password")
	if text := fmt.Sprintf("%v %s %#v %+v %v", secret, secret, secret, conf, conf); strings.Contains(text, "pss") {
		t.Errorf("the password prints: %s", text)
	}
}
