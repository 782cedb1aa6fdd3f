package compacted

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// What is tried is what would be made: a compacted topic.
func TestSpec(t *testing.T) {
	o := options(t, kafkatest.Start(t))
	want := kafka.TopicSpec{Name: "t", Partitions: 3, Replication: 1, Config: map[string]string{"cleanup.policy": "compact", "max.message.bytes": "3000"}}
	if d := cmp.Diff(want, o.spec()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"cleanup.policy": "compact"}, Settings{}.spec().Config); d != "" {
		t.Error(d)
	}
	if f := Check(t.Context(), o.Client, o.Settings); f.Err != nil {
		t.Error(f)
	}
}

// A look that is too slow does not say that a right lacks.
func TestCheckThatTakesTooLong(t *testing.T) {
	cluster := kafkatest.NewCluster(t, 1)
	o := options(t, cluster.ListenAddrs()[0])
	if err := o.Client.CreateTopic(t.Context(), o.spec()); err != nil {
		t.Fatal(err)
	}
	hangs, release := cluster.Hang(kafkatest.DescribeConfigs)
	late := errors.New("late")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		<-hangs
		cancel(late)
	}()
	f := Check(ctx, o.Client, o.Settings)
	release()
	if f.Err != late || f.Warning {
		t.Error(f)
	}
}
