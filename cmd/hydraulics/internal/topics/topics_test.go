package topics

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/topics"
)

// What cannot be said of a partition keeps nothing else from being said.
func TestDescribeWithoutALeader(t *testing.T) {
	b := kafkatest.New(t)
	client, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for _, name := range []string{"tides", "waves"} {
		if err := client.CreateTopic(t.Context(), kafka.TopicSpec{Name: name, Partitions: 2, Replication: 1}); err != nil {
			t.Fatal(err)
		}
	}
	zero := int64(0)
	d := topics.Described{Name: "tides", Config: map[string]string{"cleanup.policy": "delete"},
		Partitions: []topics.Partition{{First: &zero, End: &zero}, {Partition: 1, Leader: -1, Error: "it has no leader"}}}
	var out strings.Builder
	if err := printTopic(&out, output.Form{}, &d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n0          0      0    0 ", "\n1          -      -    none ", "\n  partition 1: it has no leader\n", "cleanup.policy: delete"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in %s", want, out.String())
		}
	}

	b.Fail(kafkatest.Fault{Request: kafkatest.ListOffsets, Topic: "waves", Code: 6, Times: -1})
	out.Reset()
	var form output.Form
	if err := form.Set("json"); err != nil {
		t.Fatal(err)
	}
	if err := (Cluster{Broker: b.Addr()}).Describe(t.Context(), &out, form, []string{"tides", "waves"}); err != nil {
		t.Fatal(err)
	}
	var list []topics.Described
	if err := json.Unmarshal([]byte(out.String()), &list); err != nil {
		t.Fatal(err)
	}
	if tides, waves := list[0].Partitions[0], list[1].Partitions[0]; tides.End == nil || waves.End != nil || !strings.Contains(waves.Error, "topic waves: first offset of partition 0") {
		t.Errorf("%s", out.String())
	}
}
