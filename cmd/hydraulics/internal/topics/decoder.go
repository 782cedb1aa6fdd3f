package topics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Converters say how keys and values are read. What is empty is that of the file of
// --kafka-config, as a worker has it; where that says nothing they are shown as text, or
// in base64.
type Converters struct {
	Key, Value string
	Registry   string   // URL of the schema registry
	Settings   []string // further keys: key.converter.schemas.enable=false
}

// decoder makes bytes of a topic JSON.
type decoder struct{ key, value connector.Converter }

// decoder makes the converters.
func (c Converters) decoder(worker connector.Props) (*decoder, error) {
	props := worker.Clone()
	if props == nil {
		props = connector.Props{}
	}
	set := new(config.Setup)
	for _, s := range c.Settings {
		if err := set.Set(s); err != nil {
			return nil, fmt.Errorf("--converter-set %s: want key=value, such as value.converter.schemas.enable=false", s)
		}
	}
	for k, v := range set.Worker.Props() {
		props[k] = v
	}
	if c.Registry != "" {
		props["schema.registry.url"] = c.Registry
	}
	d, errs := new(decoder), [2]error{}
	d.key, errs[0] = makeConverter("key", c.Key, props)
	d.value, errs[1] = makeConverter("value", c.Value, props)
	if err := errors.Join(errs[:]...); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// makeConverter makes the converter of keys or values, nil where none is named.
func makeConverter(what, class string, props connector.Props) (connector.Converter, error) {
	key := what + ".converter"
	own := props.WithPrefix(key + ".")
	if class == "" {
		class = text(props, key)
	}
	if class == "" {
		return nil, nil
	}
	plugin, err := connector.Plugins.New(connector.ConverterType, class)
	if err != nil {
		return nil, fmt.Errorf("--%s-converter: %w", what, err)
	}
	c, is := plugin.(connector.Converter)
	if !is {
		return nil, fmt.Errorf("--%s-converter: %s is no converter", what, class)
	}
	own = config.RegistryDefaults(own, props, "")
	own["converter.type"] = what
	conf, err := connector.ParsePlugin(plugin, own)
	if err == nil {
		err = c.Configure(connector.Context{}, conf, what == "key")
	}
	if err != nil {
		return c, fmt.Errorf("%s converter (%s): %w: --registry and --converter-set give its keys", what, class, err)
	}
	return c, nil
}

// Close closes the converters.
func (d *decoder) Close() {
	for _, c := range []connector.Converter{d.key, d.value} {
		if c, ok := c.(connector.Closer); ok {
			_ = c.Close() // nothing was written
		}
	}
}

// decode gives bytes as JSON: what the converter makes of them, or without one as text.
func decode(ctx context.Context, c connector.Converter, topic string, data []byte) (json.RawMessage, error) {
	if c == nil {
		b := output.BytesOf(data)
		if b == nil || b.Base64 != "" {
			return json.Marshal(b)
		}
		return json.Marshal(b.Text)
	}
	schema, v, err := c.ToConnect(ctx, topic, data)
	if err != nil {
		return nil, err
	}
	return plainjson.Append(nil, schema, v)
}
