package status

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/runtime/internal/compacted"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// No record, however it was broken, stops a worker or changes what another connector
// is said to do. What is taken is written back as the same.
func FuzzTake(f *testing.F) {
	for _, seed := range [][2]string{
		{"status-connector-c", `{"state":"RUNNING","trace":null,"worker_id":"w:8083","generation":3,"version":"1"}`},
		{"status-task-c-0", `{"state":"FAILED","trace":"at <init>","worker_id":"w:8083","generation":3}`},
		{"status-task-a-b-12", `{"state":"PAUSED"}`}, {"status-task-c-0", `{"state":"RUNN`}, {"status-task-c-0", ""},
		{"status-task-c-99999999999999999999", `{"state":"RUNNING"}`}, {"status-task--1", `{"state":"RUNNING"}`}, {"status-connector-", `{"state":"RUNNING"}`},
		{"status-topic-t:connector-c", `{"topic":{"name":"t","connector":"c","task":0,"discoverTimestamp":1}}`}, {"status-topic-t:connector-c", `{"topic":null}`},
		{"status-topic-:connector-", "{}"}, {"status-connector-c", `{"state":7}`}, {"", "null"}, {"\xff\xfe", "\x00"},
	} {
		f.Add(seed[0], []byte(seed[1]), seed[1] == "")
	}
	f.Fuzz(func(t *testing.T, key string, value []byte, tombstone bool) {
		if tombstone {
			value = nil
		}
		by := Status{State: state.Running, WorkerID: "w:1", Generation: 1}
		k := &Kafka{log: slog.New(slog.DiscardHandler), statuses: map[string]map[int]Status{"bystander": {Whole: by, 0: by}},
			uses: map[string]map[string]Use{"bystander": {"t": {Topic: "t", Connector: "bystander"}}}}
		k.take(compacted.Record{Key: []byte(key), Value: value})
		id, isStatus := parseID(key)
		use, isUse := parseUse(key)
		if id.Connector == "bystander" || use.Connector == "bystander" {
			return
		}
		if d := cmp.Diff(map[int]Status{Whole: by, 0: by}, k.statuses["bystander"]); d != "" || len(k.uses["bystander"]) != 1 {
			t.Errorf("%q changes a bystander: %s", key, d)
		}
		if taken, ok := k.statuses[id.Connector][id.Task]; isStatus && ok && taken.State != state.Destroyed {
			written, err := taken.value()
			if err != nil {
				t.Fatal(err)
			}
			back, err := parseStatus(written)
			if err != nil || !cmp.Equal(taken, back) {
				t.Errorf("%s: %v: %s", key, err, cmp.Diff(taken, back))
			}
		}
		if taken, ok := k.uses[use.Connector][use.Topic]; isUse && ok && taken.key() != key {
			t.Errorf("%q is written as %q", key, taken.key())
		}
	})
}
