package config

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Converter makes the converter that a configuration names for keys or values, by
// key.converter or value.converter and the keys below it; nil where it names none. The
// worker's keys say where the registry is. It is for reading: what comes out of it is
// shown.
func Converter(plugins *connector.Registry, use string, props, worker connector.Props) (connector.Converter, error) {
	key := use + ".converter"
	class, _ := props.Text(key)
	if class == "" {
		return nil, nil
	}
	plugin, err := plugins.New(connector.ConverterType, class)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	c, is := plugin.(connector.Converter)
	if !is {
		return nil, fmt.Errorf("%s: %s is no converter", key, class)
	}
	own := RegistryDefaults(props.WithPrefix(key+"."), worker, "")
	own["converter.type"] = use
	conf, err := connector.ParsePlugin(plugin, own)
	if err == nil {
		err = c.Configure(connector.Context{}, conf, use == "key")
	}
	if err != nil {
		return c, fmt.Errorf("%s converter (%s): %w", use, class, err)
	}
	return c, nil
}
