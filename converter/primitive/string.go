package primitive

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode/utf32"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

var (
	_ connector.Converter       = (*String)(nil)
	_ connector.HeaderConverter = (*String)(nil)
)

func init() {
	connector.RegisterConverter(func() connector.Converter { return new(String) })
	connector.RegisterHeaderConverter(func() connector.HeaderConverter { return new(String) })
}

// String converts to text: any value is written as Java's toString, and read
// back as a string. As in Java what the encoding lacks becomes a question mark,
// and bytes that it does not allow become U+FFFD.
type String struct {
	charset encoding.Encoding // nil is UTF-8
}

// Info describes the plugin.
func (*String) Info() connector.Info {
	return connector.Info{Name: "string", Version: Version, Class: "org.apache.kafka.connect.storage.StringConverter",
		Doc: "Converts to and from text."}
}

// ConfigDef gives Kafka's keys.
func (*String) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(typeKey,
		connector.Key{Name: "converter.encoding", Type: connector.StringKey, Default: "UTF-8", Importance: connector.High, Width: "MEDIUM", DisplayName: "Encoding",
			Check: func(_ string, v any) error { _, err := charset(v); return err },
			Doc:   "The name of the Java character set to use for encoding strings as byte arrays."})
}

// charset finds an encoding by its Java or IANA name.
func charset(v any) (encoding.Encoding, error) {
	name, ok := v.(string)
	if strings.EqualFold(name, "UTF-32") {
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), nil
	}
	if !ok || strings.EqualFold(name, "UTF-8") || strings.EqualFold(name, "UTF8") {
		return nil, nil
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return nil, fmt.Errorf("Unsupported encoding %s", name)
	}
	return e, nil
}

// Configure finds the encoding.
func (c *String) Configure(_ connector.Context, conf connector.Config, _ bool) error {
	var err error
	if conf.Has("converter.encoding") {
		c.charset, err = charset(conf.String("converter.encoding"))
	}
	return err
}

// ConfigureHeaders finds the encoding.
func (c *String) ConfigureHeaders(ctx connector.Context, conf connector.Config) error {
	return c.Configure(ctx, conf, false)
}

// FromConnect writes any value as text.
func (c *String) FromConnect(_ context.Context, _ string, _ *connector.Schema, value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	text := tostring.String(value)
	if c.charset == nil {
		return bytesOf(text), nil
	}
	var out []byte
	enc := c.charset.NewEncoder()
	whole, err := enc.Bytes([]byte(text))
	if err == nil {
		return whole, nil
	}
	for _, r := range text {
		enc.Reset()
		b, err := enc.Bytes([]byte(string(r)))
		if err != nil {
			b = []byte("?")
		}
		out = append(out, b...)
	}
	return out, nil
}

// bytesOf gives the bytes that a text is of, without a copy. Nobody changes what a
// converter gives, as nobody changes what a record refers to.
func bytesOf(text string) []byte {
	if text == "" {
		return []byte{} // not null
	}
	return unsafe.Slice(unsafe.StringData(text), len(text))
}

// ToConnect reads text as an optional string.
func (c *String) ToConnect(_ context.Context, _ string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return connector.OptionalStringSchema, nil, nil
	}
	if c.charset == nil {
		if utf8.Valid(data) {
			return connector.OptionalStringSchema, string(data), nil
		}
		return connector.OptionalStringSchema, replaceInvalid(data), nil
	}
	text, err := c.charset.NewDecoder().Bytes(data)
	if err != nil {
		return nil, nil, connector.Data(fmt.Errorf("text is not in the encoding of this converter: %w", err))
	}
	return connector.OptionalStringSchema, string(text), nil
}

// FromConnectHeader is FromConnect.
func (c *String) FromConnectHeader(topic, _ string, schema *connector.Schema, value any) ([]byte, error) {
	return c.FromConnect(context.Background(), topic, schema, value)
}

// ToConnectHeader is ToConnect.
func (c *String) ToConnectHeader(topic, _ string, data []byte) (*connector.Schema, any, error) {
	return c.ToConnect(context.Background(), topic, data)
}

// replaceInvalid decodes UTF-8 with one U+FFFD for each malformed sequence, as
// long as Java counts it: a truncated sequence or an encoded surrogate is one.
func replaceInvalid(data []byte) string {
	var out strings.Builder
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n <= 1 {
			n = malformed(data)
		}
		out.WriteRune(r)
		data = data[n:]
	}
	return out.String()
}

// malformed gives the length of the malformed sequence that b starts with.
func malformed(b []byte) int {
	need := 0
	switch lead := b[0]; {
	case lead >= 0xC2 && lead <= 0xDF:
		need = 2
	case lead >= 0xE0 && lead <= 0xEF:
		need = 3
	case lead >= 0xF0 && lead <= 0xF4:
		need = 4
	}
	n := 1
	for n < need && n < len(b) && b[n]&0xC0 == 0x80 {
		if n == 1 && (b[0] == 0xE0 && b[1] < 0xA0 || b[0] == 0xF0 && b[1] < 0x90 || b[0] == 0xF4 && b[1] > 0x8F) {
			break
		}
		n++
	}
	return n
}
