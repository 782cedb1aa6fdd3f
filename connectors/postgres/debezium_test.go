package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestDebeziumPlugin(t *testing.T) {
	connectortest.Plugin(t, new(DebeziumSink))
	p, err := connector.Plugins.New(connector.SinkType, "io.debezium.connector.jdbc.JdbcSinkConnector")
	if _, ok := p.(*DebeziumSink); !ok || err != nil {
		t.Errorf("%T, %v", p, err)
	}
	for _, short := range []string{"JdbcSinkConnector", "JdbcSink"} {
		if p, err := connector.Plugins.New(connector.SinkType, short); err != nil {
			t.Error(err)
		} else if _, ok := p.(*Sink); !ok {
			t.Errorf("%s is a %T", short, p)
		}
	}
}

func TestDebeziumKeys(t *testing.T) {
	const url = "jdbc:postgresql://localhost/d"
	tests := []struct {
		name        string
		props, want connector.Props
	}{
		{"defaults", connector.Props{}, connector.Props{"batch.size": "500", "retry.backoff.ms": "1000", "table.name.normalize": "true", "quote.sql.identifiers": "never"}},
		{"all", connector.Props{"connection.username": "u", "connection.password": "p", "insert.mode": "upsert", "batch.size": "7", "delete.enabled": "true", "flush.max.retries": "3", "flush.retry.delay.ms": "20",
			"primary.key.mode": "record_key", "primary.key.fields": "a,b", "collection.name.format": "x_${topic}", "use.time.zone": "America/New_York",
			"schema.evolution": "basic", "quote.identifiers": "true"},
			connector.Props{"connection.user": "u", "connection.password": "p", "insert.mode": "upsert", "batch.size": "7", "delete.enabled": "true", "max.retries": "3", "retry.backoff.ms": "20",
				"pk.mode": "record_key", "pk.fields": "a,b", "table.name.format": "x_${topic}", "db.timezone": "America/New_York",
				"auto.create": "true", "auto.evolve": "true", "table.name.normalize": "true", "quote.sql.identifiers": "always"}},
		{"older words", connector.Props{"table.name.format": "x_${topic}", "database.time_zone": "America/New_York"},
			connector.Props{"table.name.format": "x_${topic}", "db.timezone": "America/New_York", "batch.size": "500", "retry.backoff.ms": "1000", "table.name.normalize": "true", "quote.sql.identifiers": "never"}},
		{"newer words count more", connector.Props{"table.name.format": "x", "collection.name.format": "y", "database.time_zone": "America/New_York", "use.time.zone": "UTC"},
			connector.Props{"table.name.format": "y", "db.timezone": "UTC", "batch.size": "500", "retry.backoff.ms": "1000", "table.name.normalize": "true", "quote.sql.identifiers": "never"}},
		{"keys of another sink have no effect", connector.Props{"pk.mode": "kafka", "auto.create": "true", "value.converter": "avro"},
			connector.Props{"value.converter": "avro", "batch.size": "500", "retry.backoff.ms": "1000", "table.name.normalize": "true", "quote.sql.identifiers": "never"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := new(DebeziumSink)
			conf := connectortest.Configure(t, s, with(tt.props, "connection.url", url))
			if d := cmp.Diff(with(tt.want, "connection.url", url), s.props(conf)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDebeziumValidate(t *testing.T) {
	tests := []struct {
		name  string
		props connector.Props
		want  string
	}{
		{"fine", connector.Props{"connection.url": "jdbc:postgresql://localhost/d"}, ""},
		{"another database", connector.Props{"connection.url": "jdbc:mysql://localhost/d"}, "connection.url"},
		{"a mode that is none", connector.Props{"connection.url": "jdbc:postgresql://localhost/d", "schema.evolution": "all"}, "configuration schema.evolution: "},
		{"an upsert without key", connector.Props{"connection.url": "jdbc:postgresql://localhost/d", "insert.mode": "upsert"},
			"needs the key of a row: set primary.key.mode to kafka, record_key or record_value, and primary.key.fields"},
		{"a deletion without key", connector.Props{"connection.url": "jdbc:postgresql://localhost/d", "delete.enabled": "true"}, "primary.key.mode=none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connector.ParsePlugin(new(DebeziumSink), tt.props)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
