package runtime

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// What is said to have an effect has one: a wrong value of it is refused where
// the client reads it, and of what is said to have none it is not.
func TestClientPropertiesOfEffect(t *testing.T) {
	f := newFlow(t)
	wrong := map[string][]string{
		"producer": {"acks", "batch.size", "buffer.memory", "compression.type", "enable.idempotence", "linger.ms", "max.block.ms",
			"max.request.size", "retries", "metadata.max.age.ms", "request.timeout.ms", "retry.backoff.ms", "security.protocol", "socket.connection.setup.timeout.ms"},
		"consumer": {"auto.offset.reset", "fetch.max.bytes", "fetch.max.wait.ms", "fetch.min.bytes", "heartbeat.interval.ms", "isolation.level",
			"max.partition.fetch.bytes", "max.poll.interval.ms", "max.poll.records", "session.timeout.ms"},
	}
	kinds := map[string]connector.Props{
		"producer": {"topic": "numbers", "count": "0"},
		"consumer": {"topics": "numbers"},
	}
	for _, role := range slices.Sorted(maps.Keys(wrong)) {
		for _, property := range wrong[role] {
			t.Run(role+" "+property, func(t *testing.T) {
				kind := map[string]Kind{"producer": KindSource, "consumer": KindSink}[role]
				w, closeOffsets := f.worker(&script{})
				defer closeOffsets()
				props := maps.Clone(kinds[role])
				key := role + ".override." + property
				props[key] = "wrong"
				report := (&config.Validator{Plugins: w.options.Plugins})
				checked, _ := report.Validate(connector.Props{"name": "k", "connector.class": map[string]string{"producer": "numbers", "consumer": "collect"}[role], key: "wrong"}, config.Origin{})
				for _, p := range report.Warnings(checked, connector.Props{key: "wrong"}) {
					t.Error("it is said to have no effect: " + p.Message)
				}
				task, see := f.start(w, kind, "k", props)
				f.ended(task)
				if err := see.failure(); err == nil || !strings.Contains(err.Error(), property) {
					t.Errorf("%v does not name it", err)
				}
			})
		}
	}
}
