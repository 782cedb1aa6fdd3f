package kafka

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

func TestGroupOffsets(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "a", Partitions: 3, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	a := func(p int32) connector.TopicPartition { return connector.TopicPartition{Topic: "a", Partition: p} }
	expect := func(want map[connector.TopicPartition]int64) {
		t.Helper()
		got, err := c.CommittedOffsets(t.Context(), "g")
		if err != nil || !cmp.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("committed %v (%v), want %v", got, err, want)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	expect(nil)
	do(c.DeleteOffsets(t.Context(), "g", []connector.TopicPartition{a(0)})) // there is no group
	do(c.DeleteGroup(t.Context(), "g"))
	do(c.AlterOffsets(t.Context(), "g", nil))
	do(c.AlterOffsets(t.Context(), "g", map[connector.TopicPartition]int64{a(0): 7, a(2): 1 << 40}))
	expect(map[connector.TopicPartition]int64{a(0): 7, a(2): 1 << 40})
	do(c.AlterOffsets(t.Context(), "g", map[connector.TopicPartition]int64{a(0): 3}))
	do(c.DeleteOffsets(t.Context(), "g", []connector.TopicPartition{a(2), a(1)}))
	expect(map[connector.TopicPartition]int64{a(0): 3})
	do(c.DeleteGroup(t.Context(), "g"))
	expect(nil)
}

func TestGroupOffsetsOfAGroupInUse(t *testing.T) {
	c := open(t, kafkatest.Start(t), nil)
	if err := c.CreateTopic(t.Context(), TopicSpec{Name: "a", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	member := sit(t, c, calm("a"))
	defer member.close()
	eventually(t, "the member has its partition", func() bool { return member.has() == 1 })
	tp := connector.TopicPartition{Topic: "a"}
	for name, err := range map[string]error{
		"alter":  c.AlterOffsets(t.Context(), "g", map[connector.TopicPartition]int64{tp: 1}),
		"delete": c.DeleteGroup(t.Context(), "g"),
	} {
		if !errors.Is(err, ErrGroupInUse) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
