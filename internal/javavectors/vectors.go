// Package javavectors reads recorded answers of Kafka Connect's own classes,
// one JSON case per line, for the tests of what must answer the same. The
// vectors are not part of the project: tests find them through Env and say so
// when they skip.
package javavectors

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Env names the folder that holds the vectors.
const Env = "HYDRAULICS_JAVA_VECTORS"

// Case is one recorded call.
type Case struct {
	ID        string          `json:"id"`
	Component string          `json:"component"`
	Note      string          `json:"note"`
	Config    connector.Props `json:"config"`
	Input     json.RawMessage `json:"input"`
	Expect    Expect          `json:"expect"`
}

// Expect is what Java answered.
type Expect struct {
	Output  json.RawMessage `json:"output"`
	Dropped bool            `json:"dropped"`
	Error   *Failure        `json:"error"`
	// FloatText is what newer JDKs write where JDK 17 wrote more digits than needed.
	FloatText string `json:"jdk17FloatText"`
}

// Failure is an error that Java raised.
type Failure struct {
	Phase      string `json:"phase"` // configure or apply
	Class      string `json:"class"`
	Message    string `json:"message"`
	Incidental bool   `json:"incidental"` // an accident of Java: any clear error will do
}

// Load reads the cases of one file whose component starts with prefix. It
// skips the test where there are no vectors.
func Load(t *testing.T, file, prefix string) []Case {
	t.Helper()
	dir := os.Getenv(Env)
	if dir == "" {
		t.Skipf("%s is not set: the recorded answers of Kafka Connect are not compared", Env)
	}
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var c Case
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if strings.HasPrefix(c.Component, prefix) {
			cases = append(cases, c)
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no case of %s", file, prefix)
	}
	return cases
}

// CheckError compares an error with the recorded one: that there is one, and
// its text where it is Kafka's own.
func (f *Failure) CheckError(err error) error {
	switch {
	case err == nil && f.Incidental:
		return nil
	case err == nil:
		return fmt.Errorf("no error, want %s", f.Message)
	case f.Incidental || !strings.Contains(f.Class, ".connect.errors.") && !strings.Contains(f.Class, ".common.config."):
		return nil
	}
	want := f.Message
	if i := strings.Index(want, "Invalid regex:"); i >= 0 {
		want = want[:i] // what follows are the words of Java's regex parser
	}
	if i := strings.Index(want, "@HASH"); i >= 0 {
		want = want[:i]
	}
	if !strings.Contains(err.Error(), want) {
		return fmt.Errorf("error %q, want %q", err, want)
	}
	return nil
}

type record struct {
	Kind          string   `json:"kind"`
	Topic         *string  `json:"topic"`
	Partition     *int32   `json:"partition"`
	Timestamp     *string  `json:"timestamp"`
	Key           pair     `json:"key"`
	Value         pair     `json:"value"`
	Headers       []header `json:"headers"`
	Offset        string   `json:"offset"`
	TimestampType string   `json:"timestampType"`
}

type pair struct {
	Schema json.RawMessage `json:"schema"`
	Value  json.RawMessage `json:"value"`
}

type header struct {
	Key string `json:"key"`
	pair
}

// Record decodes a record. A sink's has an Origin, a source's has none.
func Record(raw json.RawMessage) (connector.Record, error) {
	var in record
	if err := json.Unmarshal(raw, &in); err != nil {
		return connector.Record{}, err
	}
	r := connector.Record{Partition: connector.AnyPartition, Timestamp: connector.NoTimestamp}
	if in.Topic != nil {
		r.Topic = *in.Topic
	}
	if in.Partition != nil {
		r.Partition = *in.Partition
	}
	if in.Timestamp != nil {
		ms, err := strconv.ParseInt(*in.Timestamp, 10, 64)
		if err != nil {
			return r, err
		}
		r.Timestamp = ms
	}
	switch in.TimestampType {
	case "CreateTime":
		r.TimestampType = connector.CreateTime
	case "LogAppendTime":
		r.TimestampType = connector.LogAppendTime
	}
	if in.Kind == "sink" {
		off, err := strconv.ParseInt(in.Offset, 10, 64)
		if err != nil {
			return r, err
		}
		r.Origin = connector.Origin{Topic: "origin", Partition: r.Partition, Offset: off}
	}
	var err error
	if r.KeySchema, r.Key, err = in.Key.decode(); err != nil {
		return r, fmt.Errorf("key: %w", err)
	}
	if r.ValueSchema, r.Value, err = in.Value.decode(); err != nil {
		return r, fmt.Errorf("value: %w", err)
	}
	for _, h := range in.Headers {
		s, v, err := h.decode()
		if err != nil {
			return r, fmt.Errorf("header %s: %w", h.Key, err)
		}
		r.Headers = append(r.Headers, connector.Header{Key: h.Key, Schema: s, Value: v})
	}
	return r, nil
}

func (p pair) decode() (*connector.Schema, any, error) {
	s, err := Schema(p.Schema)
	if err != nil {
		return nil, nil, err
	}
	v, err := Value(s, p.Value)
	return s, v, err
}

type schemaJSON struct {
	Type       string            `json:"type"`
	Optional   bool              `json:"optional"`
	Default    json.RawMessage   `json:"default"`
	Name       string            `json:"name"`
	Version    int               `json:"version"`
	Doc        string            `json:"doc"`
	Parameters map[string]string `json:"parameters"`
	Fields     []fieldJSON       `json:"fields"`
	Keys       json.RawMessage   `json:"keys"`
	Values     json.RawMessage   `json:"values"`
}

type fieldJSON struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
}

var primitives = map[string]*connector.Schema{
	"int8": connector.Int8Schema, "int16": connector.Int16Schema, "int32": connector.Int32Schema, "int64": connector.Int64Schema,
	"float32": connector.Float32Schema, "float64": connector.Float64Schema, "boolean": connector.BooleanSchema,
	"string": connector.StringSchema, "bytes": connector.BytesSchema,
}

// Schema decodes a schema; null is nil.
func Schema(raw json.RawMessage) (*connector.Schema, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var in schemaJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	s, err := in.base()
	if err != nil {
		return nil, err
	}
	s = s.WithName(in.Name).WithVersion(in.Version).WithDoc(in.Doc)
	for k, v := range in.Parameters {
		s = s.WithParameter(k, v)
	}
	if in.Optional {
		s = s.AsOptional()
	}
	if len(in.Default) > 0 && string(in.Default) != "null" {
		v, err := Value(s, in.Default)
		if err != nil {
			return nil, err
		}
		return s.TryDefault(v)
	}
	return s, nil
}

func (in schemaJSON) base() (*connector.Schema, error) {
	if s := primitives[in.Type]; s != nil {
		return s, nil
	}
	elem, err := Schema(in.Values)
	if err != nil {
		return nil, err
	}
	switch in.Type {
	case "array":
		return connector.ArrayOf(elem), nil
	case "map":
		key, err := Schema(in.Keys)
		return connector.MapOf(key, elem), err
	case "struct":
		fields := make([]connector.Field, len(in.Fields))
		for i, f := range in.Fields {
			fs, err := Schema(f.Schema)
			if err != nil {
				return nil, err
			}
			fields[i] = connector.F(f.Name, fs)
		}
		return connector.NewStructSchema("", fields)
	}
	return nil, fmt.Errorf("unknown schema type %q", in.Type)
}

// Value decodes a tagged value; s is the schema of its place, nil without one.
func Value(s *connector.Schema, raw json.RawMessage) (any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var tags map[string]json.RawMessage
	if err := json.Unmarshal(raw, &tags); err != nil {
		return nil, err
	}
	if body, ok := tags["struct"]; ok {
		if own, ok := tags["schema"]; ok {
			var err error
			if s, err = Schema(own); err != nil {
				return nil, err
			}
		}
		return structValue(s, body)
	}
	for tag, body := range tags {
		switch tag {
		case "array":
			return arrayValue(s, body)
		case "map":
			return mapValue(s, body)
		}
		return scalar(tag, body)
	}
	return nil, fmt.Errorf("value %s has no tag", raw)
}

func elemOf(s *connector.Schema) *connector.Schema {
	if s == nil {
		return nil
	}
	return s.Elem()
}

func arrayValue(s *connector.Schema, body json.RawMessage) (any, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil {
		return nil, err
	}
	list := make([]any, len(parts))
	for i, p := range parts {
		v, err := Value(elemOf(s), p)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

// ErrUnheld says that a value cannot be held in Go: a map whose keys have parts.
var ErrUnheld = errors.New("a map with such keys cannot be held")

func mapValue(s *connector.Schema, body json.RawMessage) (any, error) {
	var pairs [][2]json.RawMessage
	if err := json.Unmarshal(body, &pairs); err != nil {
		return nil, err
	}
	var keySchema *connector.Schema
	if s != nil {
		keySchema = s.Key()
	}
	texts, all := map[string]any{}, map[any]any{}
	for _, p := range pairs {
		k, err := Value(keySchema, p[0])
		if err != nil {
			return nil, err
		}
		v, err := Value(elemOf(s), p[1])
		if err != nil {
			return nil, err
		}
		switch key := k.(type) {
		case string:
			texts[key] = v
		case []any, []byte, map[string]any, map[any]any:
			return nil, ErrUnheld
		}
		all[k] = v
	}
	if len(texts) < len(all) || keySchema != nil && keySchema.Type() != connector.String {
		return all, nil
	}
	return texts, nil
}

func structValue(s *connector.Schema, body json.RawMessage) (any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, err
	}
	if s == nil || s.Type() != connector.Object {
		return nil, fmt.Errorf("struct value without struct schema")
	}
	values := make([]any, len(s.Fields()))
	for i, f := range s.Fields() {
		v, err := Value(f.Schema, fields[f.Name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		values[i] = v
	}
	return connector.StructFrom(s, values), nil
}

func scalar(tag string, body json.RawMessage) (any, error) {
	if tag == "decimal" {
		var d struct {
			Unscaled string `json:"unscaled"`
			Scale    int    `json:"scale"`
		}
		if err := json.Unmarshal(body, &d); err != nil {
			return nil, err
		}
		n, ok := new(big.Int).SetString(d.Unscaled, 10)
		if !ok {
			return nil, fmt.Errorf("unscaled %q", d.Unscaled)
		}
		return connector.Decimal{Unscaled: n, Scale: d.Scale}, nil
	}
	if tag == "boolean" {
		return string(body) == "true", nil
	}
	text := strings.Trim(string(body), `"`)
	switch tag {
	case "int8", "int16", "int32", "int64", "date":
		n, err := strconv.ParseInt(text, 10, 64)
		return map[string]any{"int8": int8(n), "int16": int16(n), "int32": int32(n), "int64": n, "date": time.UnixMilli(n).UTC()}[tag], err
	case "float32":
		return float32(float(text, 32)), nil
	case "float64":
		return float(text, 64), nil
	case "bytes", "bytebuffer":
		return base64.StdEncoding.DecodeString(text)
	}
	var s string
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, err
	}
	switch tag {
	case "string", "class":
		return s, nil
	case "password":
		return connector.Password(s), nil
	case "bigint":
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			return nil, fmt.Errorf("bigint %q", s)
		}
		return n, nil
	}
	return nil, fmt.Errorf("unknown tag %q", tag)
}

func float(text string, bits int) float64 {
	switch text {
	case "NaN":
		return math.NaN()
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	f, err := strconv.ParseFloat(text, bits)
	if err != nil && !math.IsInf(f, 0) {
		panic(fmt.Sprintf("javavectors: float %q", text))
	}
	return f
}

// Diff tells how two records differ, "" when they do not. The place in Kafka
// counts but for Origin.
func Diff(got, want connector.Record) string {
	switch {
	case got.Topic != want.Topic || got.Partition != want.Partition || got.Timestamp != want.Timestamp:
		return fmt.Sprintf("place %s/%d@%d, want %s/%d@%d", got.Topic, got.Partition, got.Timestamp, want.Topic, want.Partition, want.Timestamp)
	case !got.KeySchema.Equal(want.KeySchema):
		return fmt.Sprintf("key schema %+v, want %+v", got.KeySchema, want.KeySchema)
	case !connector.ValuesEqual(got.Key, want.Key):
		return fmt.Sprintf("key %#v, want %#v", got.Key, want.Key)
	case !got.ValueSchema.Equal(want.ValueSchema):
		return fmt.Sprintf("value schema %+v, want %+v", got.ValueSchema, want.ValueSchema)
	case !connector.ValuesEqual(got.Value, want.Value):
		return fmt.Sprintf("value %#v, want %#v", got.Value, want.Value)
	case len(got.Headers) != len(want.Headers):
		return fmt.Sprintf("%d headers, want %d", len(got.Headers), len(want.Headers))
	}
	for i, h := range got.Headers {
		w := want.Headers[i]
		if h.Key != w.Key || !h.Schema.Equal(w.Schema) || !connector.ValuesEqual(h.Value, w.Value) {
			return fmt.Sprintf("header %d is %+v, want %+v", i, h, w)
		}
	}
	return ""
}

// Bytes decodes the bytes of a converter's case: {"utf8"}, {"base64"} or null.
func Bytes(raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var in struct {
		UTF8   *string `json:"utf8"`
		Base64 string  `json:"base64"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.UTF8 != nil {
		return []byte(*in.UTF8), nil
	}
	return base64.StdEncoding.DecodeString(in.Base64)
}

// Converted is the input of a converter's case, with its operation:
// fromConnectData, toConnectData or the same of a header.
type Converted struct {
	Op    string          `json:"op"`
	Key   bool            `json:"isKey"`
	Bytes json.RawMessage `json:"bytes"`
	pair
}

// Pair decodes a schema and a value that stand together.
func (c Converted) Pair() (*connector.Schema, any, error) { return c.decode() }
