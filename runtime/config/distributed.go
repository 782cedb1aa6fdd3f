package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Algorithms are those that workers of a cluster may sign requests to each other with,
// by the names that Java has for them.
var Algorithms = []string{"HmacSHA1", "HmacSHA256", "HmacSHA384", "HmacSHA512"}

// ProtocolSessioned, ProtocolCompatible and ProtocolEager are the values of
// connect.protocol.
const (
	ProtocolSessioned  = "sessioned"
	ProtocolCompatible = "compatible"
	ProtocolEager      = "eager"
)

// LeaveNow is the value of worker.leave.on.stop that gives a worker's tasks to the
// others when it stops.
const LeaveNow = "now"

// onceDisabled is the value of exactly.once.source.support without it.
const onceDisabled = "disabled"

// distributedKeys are the keys of a worker that shares connectors with others.
func distributedKeys() []connector.Key {
	millis := func(name string, def, low int, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.IntKey, Default: def, Check: connector.AtLeast(float64(low)), Importance: connector.Low, Doc: doc}
	}
	algorithm := func(name string, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.StringKey, Default: "HmacSHA256", Check: connector.OneOf(Algorithms...), Importance: connector.Low, Doc: doc}
	}
	return []connector.Key{
		{Name: "group.id", Type: connector.StringKey, Importance: connector.High,
			Doc: "Name of the cluster of workers that share connectors and tasks, in distributed mode: it is their group in Kafka, and to be none of a connector's."},
		{Name: "connect.protocol", Type: connector.StringKey, Default: ProtocolSessioned, Check: connector.OneOfFold(ProtocolSessioned, ProtocolCompatible, ProtocolEager), Importance: connector.Low,
			Doc: "How workers share: what stays where it is runs on in a rebalance (compatible), and requests among workers are signed as well (sessioned), or everything stops first (eager). The cluster does what all of its workers can."},
		millis("session.timeout.ms", 10000, 1, "After how long a worker that says nothing counts as lost."),
		millis("heartbeat.interval.ms", 3000, 1, "How often a worker says that it is there."),
		millis("rebalance.timeout.ms", 60000, 1, "How long a worker may take in a rebalance to stop what others are to have."),
		millis("scheduled.rebalance.max.delay.ms", 300000, 0, "How long the connectors and tasks of a worker that is lost, or has stopped, wait for it to return before others get them."),
		millis("worker.sync.timeout.ms", 3000, 0, "How long a worker that has read less of the configuration topic than others may take to catch up."),
		millis("worker.unsync.backoff.ms", 300000, 0, "How long a worker that did not catch up stays away from the others."),
		{Name: "worker.leave.on.stop", Type: connector.StringKey, Default: "hold", Check: connector.OneOf("hold", LeaveNow), Importance: connector.Low,
			Doc: "What becomes of a worker's connectors and tasks when it is stopped: hold has them wait for its return, for scheduled.rebalance.max.delay.ms, so that workers can be started again one by one without moving anything; now has the others run them at once."},
		algorithm("inter.worker.key.generation.algorithm", "Kind of the keys that requests among workers are signed with."),
		{Name: "inter.worker.key.size", Type: connector.IntKey, Check: connector.Optional(connector.AtLeast(8)), Importance: connector.Low,
			Doc: "Size of these keys in bits; without it that of their kind."},
		millis("inter.worker.key.ttl.ms", 3600000, 0, "How long such a key is used; 0 is without end."),
		algorithm("inter.worker.signature.algorithm", "How requests to other workers are signed."),
		{Name: "inter.worker.verification.algorithms", Type: connector.ListKey, Default: "HmacSHA256", Distinct: true, Check: known, Importance: connector.Low,
			Doc: "How requests of other workers may be signed."},
		{Name: "exactly.once.source.support", Type: connector.StringKey, Default: onceDisabled, Importance: connector.Low,
			Doc: "Exactly-once delivery of sources, which is not there yet: disabled is the only value that a worker in distributed mode takes."},
	}
}

func known(name string, v any) error {
	list, _ := v.([]string)
	if len(list) == 0 {
		return errors.New("it is empty: want at least one of " + strings.Join(Algorithms, ", "))
	}
	for _, a := range list {
		if !slices.Contains(Algorithms, a) {
			return fmt.Errorf("%s is none of %s", a, strings.Join(Algorithms, ", "))
		}
	}
	return nil
}

// NamesCluster tells whether the worker's keys name a cluster: then its files are meant
// for distributed mode.
func (s *Setup) NamesCluster() bool {
	worker := s.Worker.Props()
	group, _ := worker.Text("group.id")
	topic, _ := worker.Text("config.storage.topic")
	return group != "" && topic != ""
}

// CheckDistributed says what of a setup keeps its worker from sharing connectors with
// others.
func CheckDistributed(s *Setup) error {
	var errs []error
	worker := s.Worker.Props()
	text := func(key string) string { v, _ := worker.Text(key); return strings.TrimSpace(v) }
	for _, key := range []string{"group.id", "config.storage.topic", "offset.storage.topic", "status.storage.topic"} {
		if text(key) == "" {
			errs = append(errs, fmt.Errorf("%s: missing: workers of a cluster have it, the same on each", key))
		}
	}
	if once := text("exactly.once.source.support"); once != "" && !strings.EqualFold(once, onceDisabled) {
		errs = append(errs, fmt.Errorf("exactly.once.source.support: %s: exactly-once delivery of sources is not there yet: want %s", once, onceDisabled))
	}
	for _, c := range s.Connectors {
		errs = append(errs, fmt.Errorf("%s: connector %s: a cluster keeps its connectors in its configuration topic: take it out and send it to the REST API of one of the workers, as PUT /connectors/%s/config", filepath.Base(c.File), c.Name, c.Name))
	}
	return errors.Join(errs...)
}
