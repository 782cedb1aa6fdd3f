package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestRegistryDefaults(t *testing.T) {
	worker := connector.Props{"schema.registry.url": "http://worker:1", "schema.registry.ssl.keystore.location": "k.pem", "sasl.jaas.config": "login", "group.id": "g"}
	for name, c := range map[string]struct{ props, want connector.Props }{
		"the worker's registry": {connector.Props{}, connector.Props{"p.schema.registry.url": "http://worker:1", "p.schema.registry.ssl.keystore.location": "k.pem"}},
		"another registry":      {connector.Props{"p.schema.registry.url": "http://own:1"}, connector.Props{"p.schema.registry.url": "http://own:1"}},
		"Kafka's login": {connector.Props{"p.schema.registry.url": "http://own:1", "p.basic.auth.credentials.source": "SASL_INHERIT"},
			connector.Props{"p.schema.registry.url": "http://own:1", "p.basic.auth.credentials.source": "SASL_INHERIT", "p.sasl.jaas.config": "login"}},
		"another login": {connector.Props{"p.schema.registry.url": "http://own:1", "p.basic.auth.credentials.source": "SASL_INHERIT", "p.sasl.jaas.config": "own"},
			connector.Props{"p.schema.registry.url": "http://own:1", "p.basic.auth.credentials.source": "SASL_INHERIT", "p.sasl.jaas.config": "own"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, RegistryDefaults(c.props, worker, "p.")); d != "" {
				t.Error(d)
			}
		})
	}
}
