package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// ticking is a source of two tasks that goes on, with a transform.
const ticking = `connectors:
  ticks:
    connector.class: datagen
    topic: ticks
    rate: 200
    batch.size: 10
    tasks.max: 2
    transforms: [{stamp: {type: org.apache.kafka.connect.transforms.InsertField$Value, static.field: site, static.value: mvco}}]
`

func TestTapOfAWorker(t *testing.T) {
	s := steerWorker(t, ticking)
	s.state("ticks", "2 RUNNING")
	out := s.says(0, "tap", "ticks", "--max", "3", "--rate", "50")
	s.expect(out, "  source (datagen)\n", `    + value.payload = "`, "  transform stamp (insert-field)\n    + value.site = \"mvco\"\n", "  => on its way to topic ticks, key ")

	lines := strings.Split(strings.TrimSpace(s.says(0, "tap", "ticks", "--stage", "STAMP", "--task", "1", "--max", "2", "-o", "json")), "\n")
	for _, line := range lines[:2] {
		var got preview.Sample
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if got.Task != 1 || got.Fate != preview.Passed || len(got.Steps) != 1 || len(got.Steps[0].Changes) != 1 || len(got.Steps[0].Fields) < 4 {
			t.Errorf("%s", line)
		}
	}
	s.expect(s.says(0, "tap", "ticks", "--max", "1", "-o", "yaml"), "---\ntime: ")
	s.expect(s.says(0, "tap", "ticks", "--for", "1500ms"), "records passed, ", " were shown, 0 were lost")
	s.expect(s.says(5, "tap", "none"), "tap of connector none: No status found for connector none")
	s.expect(s.says(1, "tap", "ticks", "--stage", "none"), "there are ", "transform stamp")
	s.expect(s.says(1, "tap", "ticks", "--rate", "1000"), "100 at most")
	s.expect(s.says(4, "tap", "ticks", "--url", "http://127.0.0.1:1"), "is a worker running there?")
	s.says(0, "connectors", "pause", "ticks")
	s.says(0, "tap", "ticks", "--for", "100ms") // nothing passes: that is no error
}

// Each worker of a cluster shows the records of all of them.
func TestTapOfACluster(t *testing.T) {
	leader, other := startTwo(t, kafkatest.Start(t))
	do(t, leader, 201, "POST", "/connectors", `{"name": "ticks", "config": {"connector.class": "datagen", "topic": "ticks", "rate": "200", "tasks.max": "2"}}`)
	at := expect(t, "ticks", "RUNNING", 2, leader, other)
	if len(at) != 2 {
		t.Fatalf("the tasks are at %v", at)
	}
	s := &steered{t: t}
	for _, w := range []*Worker{leader, other} {
		seen := map[string]bool{}
		for _, task := range []string{"0", "1"} {
			wait.Until(t, "the view has both workers", func() bool { return len(w.member.View().Peers) == 2 })
			out := s.says(0, "tap", "ticks", "--url", w.RESTURL(), "--task", task, "--max", "2")
			seen[task] = strings.Contains(out, "  task "+task+"  ")
		}
		if !seen["0"] || !seen["1"] {
			t.Errorf("%s shows %v", w.RESTURL(), seen)
		}
	}
}
