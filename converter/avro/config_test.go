package avro

import (
	"fmt"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// confluent are the keys of Confluent's AvroConverterConfig with their defaults;
// ssl.* stand for themselves.
const confluent = `
schema.registry.url <nil>
max.schemas.per.subject 1000
normalize.schemas false
auto.register.schemas true
propagate.schema.tags false
use.schema.id -1
id.compatibility.strict true
use.latest.version false
latest.compatibility.strict true
latest.cache.size 1000
latest.cache.ttl.sec -1
use.latest.with.metadata <nil>
schema.format <nil>
rule.executors
rule.actions
rule.service.loader.enable true
basic.auth.credentials.source URL
basic.auth.user.info <nil>
schema.registry.basic.auth.user.info <nil>
bearer.auth.credentials.source STATIC_TOKEN
bearer.auth.token <nil>
bearer.auth.issuer.endpoint.url <nil>
bearer.auth.client.id <nil>
bearer.auth.client.secret <nil>
bearer.auth.scope <nil>
bearer.auth.scope.claim.name scope
bearer.auth.sub.claim.name sub
bearer.auth.identity.pool.id <nil>
bearer.auth.logical.cluster <nil>
bearer.auth.cache.expiry.buffer.seconds 300
bearer.auth.custom.provider.class <nil>
context.name.strategy io.confluent.kafka.serializers.context.NullContextNameStrategy
key.subject.name.strategy io.confluent.kafka.serializers.subject.TopicNameStrategy
key.schema.id.serializer io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer
key.schema.id.deserializer io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer
value.subject.name.strategy io.confluent.kafka.serializers.subject.TopicNameStrategy
value.schema.id.serializer io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer
value.schema.id.deserializer io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer
schema.reflection false
proxy.host
proxy.port -1
http.connect.timeout.ms 60000
http.read.timeout.ms 60000
max.retries 3
retries.wait.ms 1000
retries.max.wait.ms 20000
generalized.sum.type.support false
ignore.default.for.nullables false
enhanced.avro.schema.support false
scrub.invalid.names false
connect.meta.data true
discard.type.doc.default false
allow.optional.map.keys false
flatten.singleton.unions true
schema.registry.ssl.truststore.location <nil>
schema.registry.ssl.truststore.password <nil>
schema.registry.ssl.truststore.certificates <nil>
schema.registry.ssl.keystore.location <nil>
schema.registry.ssl.keystore.password <nil>
schema.registry.ssl.keystore.certificate.chain <nil>
schema.registry.ssl.keystore.key <nil>
schema.registry.ssl.endpoint.identification.algorithm https
`

func TestConfluentsKeys(t *testing.T) {
	have := map[string]connector.Key{}
	for _, k := range configDef.Keys() {
		have[k.Name] = k
	}
	for line := range strings.Lines(strings.TrimSpace(confluent)) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
		k, ok := have[name]
		if got := fmt.Sprint(k.Default); !ok || got != want {
			t.Errorf("%s: there is it: %t, its default is %s, want %s", name, ok, got, want)
		}
	}
}

// Keys that would change what is written are refused, not ignored.
func TestKeysThatAreRefused(t *testing.T) {
	for name, value := range map[string]string{
		"rule.executors": "encrypt", "use.latest.with.metadata": "a=b", "schema.format": "resolved", "context.name.strategy": "com.acme.Contexts",
		"value.schema.id.serializer": "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer", "bearer.auth.custom.provider.class": "com.acme.Tokens",
	} {
		_, err := connector.ParsePlugin(new(Converter), connector.Props{"schema.registry.url": "http://h:1", name: value})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
