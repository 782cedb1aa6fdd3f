package rest

import (
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// preset is defaults for a kind of service.
type preset struct {
	props connector.Props
	// headers are added to those that are configured, unless they are there.
	headers []string
}

var presets = map[string]preset{
	// An array whose rows are merged into those of their key; a row may not be there
	// twice.
	"postgrest": {connector.Props{"batch.size": "500", "batch.unique": "${key}"}, []string{"Prefer: resolution=merge-duplicates", "Prefer: return=minimal"}},
	"webhook":   {connector.Props{"body": bodyRecord, "idempotency.header": "Idempotency-Key"}, nil},
	"influxdb":  {connector.Props{"format": formatInflux, "batch.size": "5000", "auth.header": "Authorization"}, nil},
}

func presetNames() []string { return slices.Sorted(maps.Keys(presets)) }

// withPreset gives a configuration with the defaults of its preset, and what is
// wrong with it.
func withPreset(conf connector.Config) (connector.Config, *connector.Problems) {
	name := conf.String("preset")
	chosen, ok := presets[name]
	if !ok {
		return conf, new(connector.Problems)
	}
	props := conf.Props().Clone()
	for key, text := range chosen.props {
		if !conf.Given(key) {
			props[key] = text
		}
	}
	headers := conf.List("headers")
	for _, line := range chosen.headers {
		header, _, _ := strings.Cut(line, ":")
		if !slices.ContainsFunc(conf.List("headers"), func(own string) bool {
			name, _, _ := strings.Cut(own, ":")
			return strings.EqualFold(strings.TrimSpace(name), header)
		}) {
			headers = append(slices.Clip(headers), line)
		}
	}
	if len(headers) > 0 {
		props["headers"] = headers
	}
	return configDef().Check(props)
}
