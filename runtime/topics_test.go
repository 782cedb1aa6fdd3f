package runtime

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Clauses: I4.
func TestTopicRules(t *testing.T) {
	rules, problems := config.TopicRules("source", connector.Props{
		"topic.creation.groups": "big, small, rest", "topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "2",
		"topic.creation.big.include": "ifcb-.*", "topic.creation.big.exclude": "ifcb-small.*, ifcb-no", "topic.creation.big.partitions": "12",
		"topic.creation.big.cleanup.policy": " compact ",
		"topic.creation.small.include":      "a, .*small.*", "topic.creation.small.partitions": "1", "topic.creation.small.replication.factor": "-1",
		"topic.creation.rest.include": "r(?=est).*", "topic.creation.default.retention.ms": "5",
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	spec := func(name string, partitions int32, replication int16, conf map[string]string) kafka.TopicSpec {
		return kafka.TopicSpec{Name: name, Partitions: partitions, Replication: replication, Config: conf}
	}
	none := map[string]string{}
	for _, want := range []kafka.TopicSpec{
		spec("ifcb-images", 12, 2, map[string]string{"cleanup.policy": "compact"}),
		spec("ifcb-small", 1, -1, none),
		spec("a", 1, -1, none),
		spec("ab", 3, 2, map[string]string{"retention.ms": "5"}), // names match as a whole
		spec("ifcb-no", 3, 2, map[string]string{"retention.ms": "5"}),
		spec("rest-of-it", 3, 2, none), // Java's expressions: it looks ahead
	} {
		if d := cmp.Diff(want, specFor(rules, want.Name)); d != "" {
			t.Error(d)
		}
	}
	if d := cmp.Diff(spec("x", -1, -1, nil), specFor(nil, "x")); d != "" {
		t.Error(d)
	}
}

// A source's topics are made as its groups say before their first record, and
// what a broker refuses of that ends the task with the reason.
func TestTopicsAreCreatedByGroups(t *testing.T) {
	f := newFlow(t)
	props := connector.Props{"topic": "wide", "count": "3", "topic.creation.groups": "wide", "topic.creation.wide.include": "w.*",
		"topic.creation.wide.partitions": "5", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"}
	w, closeOffsets := f.worker(&script{})
	defer closeOffsets()
	task, see := f.start(w, KindSource, "n", props)
	f.ended(task)
	if err := see.failure(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.client.Partitions(t.Context(), "wide"); n != 5 || err != nil {
		t.Errorf("%d partitions, %v", n, err)
	}
	exactly(t, "wide", f.tally("wide"), 3)
}
