package main

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// TestDLQ runs the commands of docs/dead-letters.md against a broker with one
// dead letter, as Kafka Connect writes it.
func TestDLQ(t *testing.T) {
	broker := kafkatest.Start(t)
	client, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, topic := range []string{"ifcb-dead-letters", "ifcb-images"} {
		if err := client.CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: 1, Replication: 1}); err != nil {
			t.Fatal(err)
		}
	}
	p, err := client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }() // all was flushed
	m := kafka.Message{Topic: "ifcb-dead-letters", Partition: connector.AnyPartition, Value: []byte("x"), Timestamp: 5}
	for key, value := range map[string]string{"topic": "ifcb-images", "partition": "0", "offset": "7", "connector.name": "ifcb-stats", "task.id": "0",
		"stage": "TRANSFORMATION", "exception.class.name": "org.apache.kafka.connect.errors.DataException", "exception.message": "no image"} {
		m.Headers = append(m.Headers, kafka.Header{Key: "__connect.errors." + key, Value: []byte(value)})
	}
	if err := p.Send(t.Context(), m, func(_ connector.RecordMetadata, err error) {
		if err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"list ifcb-dead-letters", "1        ifcb-stats  TRANSFORMATION  DataException  1970-01-01T00:00:00Z  no image\n"},
		{"show ifcb-dead-letters --stage TRANSFORMATION --max 3", "from ifcb-images[0]@7"},
		{"show ifcb-dead-letters -o json", `"origin":"from ifcb-images[0]@7"`},
		{"show ifcb-dead-letters -o xml", "--output xml: want text or json"},
		{"replay ifcb-dead-letters --connector ifcb-stats --rate -1", "want no negative rate"},
		{"replay ifcb-dead-letters --connector ifcb-stats --dry-run", "1 would be replayed to ifcb-images\n"},
		{"replay ifcb-dead-letters --connector ifcb-stats --rate 50", "1 replayed to ifcb-images\n"},
		{"replay nowhere", "topic nowhere: topic does not exist"},
	} {
		var out strings.Builder
		cmd := newDLQCommand()
		cmd.SetOut(&out)
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(append(strings.Fields(c.args), "--bootstrap-server", broker))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			out.WriteString(err.Error())
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("dlq %s: %s", c.args, out.String())
		}
	}
}
