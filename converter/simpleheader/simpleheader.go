// Package simpleheader has the converter of headers that Kafka Connect uses
// where none is chosen: values are written as text and guessed from it.
package simpleheader

import (
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/values"
)

// Version is what the converter reports.
const Version = "1.0.0"

var _ connector.HeaderConverter = (*Converter)(nil)

func init() {
	connector.RegisterHeaderConverter(func() connector.HeaderConverter { return new(Converter) })
}

// Converter writes header values as text and guesses what a text means. So the
// text 12 comes back as a number.
type Converter struct{}

// Info describes the plugin.
func (*Converter) Info() connector.Info {
	return connector.Info{Name: "simple", Version: Version, Class: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
		Doc: "Writes header values as text and guesses their types from it."}
}

// ConfigDef has no keys.
func (*Converter) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

// ConfigureHeaders has nothing to do.
func (*Converter) ConfigureHeaders(connector.Context, connector.Config) error { return nil }

// FromConnectHeader writes a value as text; null is null.
func (*Converter) FromConnectHeader(_, _ string, _ *connector.Schema, value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	text, err := values.Format(value)
	if err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// ToConnectHeader guesses what a text means. As in Java what is no UTF-8
// becomes U+FFFD.
func (*Converter) ToConnectHeader(_, _ string, data []byte) (*connector.Schema, any, error) {
	if data == nil {
		return nil, nil, nil
	}
	pair := values.Parse(strings.ToValidUTF8(string(data), "\ufffd"))
	return pair.Schema, pair.Value, nil
}
