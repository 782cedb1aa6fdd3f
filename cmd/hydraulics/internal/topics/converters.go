package topics

import (
	"errors"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/topics"
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

// decoder makes the converters.
func (c Converters) decoder(worker connector.Props) (d topics.Decoder, err error) {
	props := worker.Clone()
	if props == nil {
		props = connector.Props{}
	}
	set := new(config.Setup)
	for _, s := range c.Settings {
		if err := set.Set(s); err != nil {
			return d, fmt.Errorf("--converter-set %s: want key=value, such as value.converter.schemas.enable=false", s)
		}
	}
	for k, v := range set.Worker.Props() {
		props[k] = v
	}
	for key, v := range map[string]string{"schema.registry.url": c.Registry, "key.converter": c.Key, "value.converter": c.Value} {
		if v != "" {
			props[key] = v
		}
	}
	var errs [2]error
	d.Key, errs[0] = config.Converter(connector.Plugins, "key", props, props)
	d.Value, errs[1] = config.Converter(connector.Plugins, "value", props, props)
	if err := errors.Join(errs[:]...); err != nil {
		d.Close()
		return d, fmt.Errorf("%w: --key-converter, --value-converter, --registry and --converter-set give its keys", err)
	}
	return d, nil
}
