package json

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
)

// Version is what the converter reports.
const Version = "1.0.0"

var (
	_ connector.Converter       = (*Converter)(nil)
	_ connector.HeaderConverter = (*Converter)(nil)
)

func init() {
	connector.RegisterConverter(func() connector.Converter { return new(Converter) })
	connector.RegisterHeaderConverter(func() connector.HeaderConverter { return new(Converter) })
}

// Converter converts to and from JSON. It is safe for concurrent use.
type Converter struct {
	envelope    bool // schemas.enable
	content     *connector.Schema
	numeric     bool // decimals as numbers, else base64
	replaceNull bool
	strict      bool
	cacheSize   int
	warn        func(topic, field string) // says once that a value was read as another one

	mu      sync.Mutex
	written map[*connector.Schema]json.RawMessage // by identity
	parsed  map[string]*connector.Schema          // by text
	heads   []head                                // not to be changed
}

// Info describes the plugin.
func (*Converter) Info() connector.Info {
	return connector.Info{Name: "json", Version: Version, Class: "org.apache.kafka.connect.json.JsonConverter",
		Doc: "Converts to and from JSON, with or without schema."}
}

// ConfigDef gives Kafka's keys.
func (*Converter) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "converter.type", Type: connector.StringKey, Required: true, Importance: connector.Low, Doc: "How this converter will be used."},
		connector.Key{Name: "schemas.enable", Type: connector.BooleanKey, Default: true, Importance: connector.High, Group: "Schemas", Width: "MEDIUM",
			DisplayName: "Enable Schemas", Doc: "Include schemas within each of the serialized values and keys."},
		connector.Key{Name: "schemas.cache.size", Type: connector.IntKey, Default: 1000, Importance: connector.High, Group: "Schemas", Width: "MEDIUM",
			DisplayName: "Schema Cache Size", Doc: "The maximum number of schemas that can be cached in this converter instance."},
		connector.Key{Name: "schema.content", Type: connector.StringKey, Importance: connector.High, Group: "Schemas", Width: "MEDIUM",
			DisplayName: "Schema Content", Doc: "When set, this is used as the schema for all messages, and the schemas within each of the message will be ignored." +
				"Otherwise, the schema will be included in the content of each message. This configuration applies only 'schemas.enable' is true, and it exclusively affects the sink connector."},
		connector.Key{Name: "decimal.format", Type: connector.StringKey, Default: "BASE64", Importance: connector.Low, Group: "Serialization", Width: "MEDIUM",
			DisplayName: "Decimal Format", Check: connector.OneOfFold("NUMERIC", "BASE64"),
			Doc: "Controls which format this converter will serialize decimals in. This value is case insensitive and can be either 'BASE64' (default) or 'NUMERIC'"},
		connector.Key{Name: "replace.null.with.default", Type: connector.BooleanKey, Default: true, Importance: connector.Low, Group: "Serialization", Width: "MEDIUM",
			DisplayName: "Replace null with default",
			Doc:         "Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used."},
		connector.Key{Name: "strict", Type: connector.BooleanKey, Default: false, Importance: connector.Medium, Group: "Serialization", Width: "MEDIUM", Extension: true,
			DisplayName: "Refuse what does not fit", Doc: "Whether JSON of another type than its schema says, and a number that its type cannot hold, is an error of the record, " +
				"and NaN and the infinities, which are written as strings, are read as such. When set to false, all that is read as Kafka Connect does: 0, false, null, or the lower bits of the number, with a warning once."},
	)
}

// Configure reads the configuration.
func (c *Converter) Configure(ctx connector.Context, conf connector.Config, _ bool) error {
	c.envelope = conf.Bool("schemas.enable")
	c.numeric = strings.EqualFold(conf.String("decimal.format"), "NUMERIC")
	c.replaceNull = conf.Bool("replace.null.with.default")
	c.strict = conf.Bool("strict")
	var once sync.Once
	c.warn = func(topic, field string) {
		once.Do(func() {
			if ctx.Log != nil {
				ctx.Log.Warn("JSON that does not fit is read as another value, as in Kafka Connect: the converter's key strict=true refuses it", "topic", topic, "field", field)
			}
		})
	}
	c.cacheSize = max(1, conf.Int("schemas.cache.size"))
	c.written, c.parsed, c.heads = map[*connector.Schema]json.RawMessage{}, map[string]*connector.Schema{}, nil
	if text := conf.String("schema.content"); text != "" {
		r := c.reader()
		schema, err := c.parseSchema(r, []byte(text))
		if err != nil {
			return fmt.Errorf("schema.content: Failed to parse schema in converter config due to serialization error: %w", err)
		}
		c.content = schema
	}
	return nil
}

// ConfigureHeaders reads the configuration.
func (c *Converter) ConfigureHeaders(ctx connector.Context, conf connector.Config) error {
	return c.Configure(ctx, conf, false)
}

// FromConnect writes a value. Null without a schema is null bytes.
func (c *Converter) FromConnect(_ context.Context, _ string, schema *connector.Schema, value any) ([]byte, error) {
	if schema == nil && value == nil {
		return nil, nil
	}
	if !c.envelope {
		return c.appendValue(nil, schema, value)
	}
	text, err := c.schemaText(schema)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"schema":`), text...)
	out = append(out, `,"payload":`...)
	if out, err = c.appendValue(out, schema, value); err != nil {
		return nil, err
	}
	return append(out, '}'), nil
}

// ToConnect reads a value, without schema or with the one of the envelope.
func (c *Converter) ToConnect(_ context.Context, topic string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	r := c.reader()
	schema, v, err := c.read(r, data)
	if err != nil {
		return nil, nil, err
	}
	if r.notes > 0 {
		c.warn(topic, r.first)
	}
	return schema, v, nil
}

func (c *Converter) reader() *reader { return &reader{strict: c.strict, replaceNull: c.replaceNull} }

// read reads what schemas.enable and schema.content say that there is.
func (c *Converter) read(r *reader, data []byte) (*connector.Schema, any, error) {
	if c.envelope && c.content == nil {
		return c.readEnvelope(r, data)
	}
	v, err := decode(data)
	switch {
	case err != nil:
		return nil, nil, err
	case !c.envelope:
		v, err = r.schemaless(v)
		return nil, v, err
	case !c.strict && len(bytes.TrimSpace(data)) == 0:
		v = missing{}
	}
	v, err = r.fromJSON("", c.content, v)
	return c.content, v, err
}

func (c *Converter) readEnvelope(r *reader, data []byte) (*connector.Schema, any, error) {
	if schema, v, ok := c.readKnown(data); ok {
		v, err := r.fromJSON("", schema, v)
		return schema, v, err
	}
	var parts map[string]json.RawMessage
	if err := unmarshal(data, &parts); err != nil {
		if !noEnvelope(data) {
			return nil, nil, err
		}
		return nil, nil, errEnvelope
	}
	rawSchema, hasSchema := parts["schema"]
	payload, hasPayload := parts["payload"]
	if len(parts) != 2 || !hasSchema || !hasPayload {
		return nil, nil, errEnvelope
	}
	schema, err := c.parseSchema(r, rawSchema)
	if err != nil {
		return nil, nil, err
	}
	v, err := decode(payload)
	if err != nil {
		return nil, nil, err
	}
	v, err = r.fromJSON("", schema, v)
	return schema, v, err
}

// noEnvelope tells that the first value of a text can be told from the rest and
// is no envelope, which says more than that something follows behind it.
func noEnvelope(data []byte) bool {
	data = withoutLeadingZeros(bytes.TrimPrefix(data, bom))
	if len(bytes.TrimSpace(data)) == 0 {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var first any
	if !utf8.Valid(data) || d.Decode(&first) != nil {
		return false
	}
	rest := data[d.InputOffset():]
	if _, number := first.(json.Number); number && len(rest) > 0 && !bytes.ContainsAny(rest[:1], " \t\r\n") {
		return false
	}
	m, _ := first.(map[string]any)
	_, hasSchema := m["schema"]
	_, hasPayload := m["payload"]
	return !hasSchema || !hasPayload
}

// bom is the mark that some programs put before a text.
var bom = []byte("\uFEFF")

// errEnvelope is Kafka's answer to the most common mistake of beginners.
var errEnvelope = dataf(`JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. ` +
	`If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.`)

// FromConnectHeader is FromConnect.
func (c *Converter) FromConnectHeader(topic, _ string, schema *connector.Schema, value any) ([]byte, error) {
	return c.FromConnect(context.Background(), topic, schema, value)
}

// ToConnectHeader is ToConnect.
func (c *Converter) ToConnectHeader(topic, _ string, data []byte) (*connector.Schema, any, error) {
	return c.ToConnect(context.Background(), topic, data)
}

// decode reads the JSON value that data is, numbers as they are written. No value
// at all is null.
func decode(data []byte) (any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	var v any
	err := unmarshal(data, &v)
	return v, err
}

func unmarshal(data []byte, v any) error {
	const failed = "Converting byte[] to Kafka Connect data failed due to serialization error: "
	data = bytes.TrimPrefix(data, bom)
	if !utf8.Valid(data) {
		return dataf(failed + "the text is not UTF-8")
	}
	err := wholejson.Unmarshal(data, v)
	if err != nil && err != io.EOF {
		if plain := withoutLeadingZeros(data); len(plain) < len(data) {
			err = wholejson.Unmarshal(plain, v)
		}
	}
	switch {
	case err == io.EOF:
		return dataf(failed + "there is no JSON")
	case err != nil:
		return dataf(failed+"%w", err)
	}
	return nil
}

// dataf makes an error of a record; where Kafka has words for it, in those.
func dataf(format string, args ...any) error { return connector.Data(fmt.Errorf(format, args...)) }
