package bench

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/bench/loop"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// copyRecords is how many records of 1 KB are copied.
const copyRecords = 100_000

// copies are streams without transforms, by what values are.
var copies = map[string]lane{
	loop.Text: copyOf("input.value.converter: string\n    value.converter: string"),
	loop.Avro: copyOf("input.value.converter: avro\n    input.value.converter.schema.registry.url: REGISTRY"),
}

func copyOf(converters string) lane {
	return lane{kind: runtime.KindStream, records: copyRecords, yaml: "    connector.class: stream\n    topics: in\n    topic: OUT\n    input.key.converter: string\n    key.converter: string\n    " + converters + "\n"}
}

// BenchmarkCopies measures a stream that decodes and encodes each record beside a bare loop that does, in turn: records
// per second of its process's CPU time.
func BenchmarkCopies(b *testing.B) {
	if places := os.Getenv(laneVariable); places != "" {
		place := strings.Fields(places)
		beLane(b, copies[place[0]], place[1:])
		return
	}
	if is, err := loop.Be(); is {
		check(b, err)
	}
	for _, values := range []string{loop.Text, loop.Avro} {
		b.Run(values, func(b *testing.B) {
			f := &flow{b: b, broker: kafkatest.Start(b)}
			f.startRegistry()
			client, err := kafka.Open(b.Context(), kafka.Options{Bootstrap: []string{f.broker}})
			check(b, err)
			defer client.Close()
			f.fillCopies(client, values)
			var stream, bare laneCost
			n := 0
			for b.Loop() {
				n++
				out := fmt.Sprint("stream-", n)
				stream.add(f.copyTime(client, laneCommand("Copies", values, f.broker, out, f.registry), out, true))
				out = fmt.Sprint("loop-", n)
				bare.add(f.copyTime(client, loopCommand(f.broker, out, values), out, false))
			}
			b.ReportMetric(0, "ns/op") // of all processes together: it says nothing
			rate := func(d time.Duration) float64 { return float64(n) * copyRecords / d.Seconds() }
			b.ReportMetric(rate(stream.cpu), "stream-records/CPU-s")
			b.ReportMetric(rate(bare.cpu), "loop-records/CPU-s")
			b.ReportMetric(rate(stream.cpu)/rate(bare.cpu), "of-the-loop-by-CPU")
			b.ReportMetric(rate(stream.took)/rate(bare.took), "of-the-loop-by-time")
			b.ReportMetric(stream.allocs/stream.passes, "allocs/record")
			b.ReportMetric(stream.bytes/stream.passes, "B/record")
		})
	}
}

// fillCopies makes the topic that is copied.
func (f *flow) fillCopies(client *kafka.Client, values string) {
	b := f.b
	r, err := registry.New(registry.Options{URLs: []string{f.registry}})
	check(b, err)
	defer r.Close()
	schema, err := r.Register(b.Context(), "in-value", loop.Schema)
	check(b, err)
	value, err := loop.Values(uint32(schema.ID), 1<<10)
	check(b, err)
	if values == loop.Text {
		value = func(i int) ([]byte, error) { return fmt.Appendf(nil, "%01024d", i), nil }
	}
	check(b, client.CreateTopic(b.Context(), kafka.TopicSpec{Name: "in", Partitions: 1, Replication: 1}))
	p, err := client.NewProducer(kafka.ProducerOptions{})
	check(b, err)
	defer p.Close()
	for i := range copyRecords {
		v, err := value(i)
		check(b, err)
		check(b, p.Send(b.Context(), kafka.Message{Topic: "in", Value: v, Timestamp: connector.NoTimestamp}, func(_ connector.RecordMetadata, err error) {
			if err != nil {
				b.Error(err)
			}
		}))
	}
	check(b, p.Flush(b.Context()))
}

// loopCommand is the loop.
func loopCommand(broker, out, values string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkCopies$", "-test.benchtime=1x")
	cmd.Env = loop.Environment(broker, "in", out, values)
	return cmd
}

// copyTime has a program copy all records. Its time is that between the first and the last of them in the topic.
func (f *flow) copyTime(client *kafka.Client, cmd *exec.Cmd, topic string, ends bool) laneCost {
	b := f.b
	check(b, client.CreateTopic(b.Context(), kafka.TopicSpec{Name: topic, Partitions: 1, Replication: 1}))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	check(b, cmd.Start())
	has := func(least int64) time.Time {
		deadline := time.Now().Add(5 * time.Minute)
		for {
			at, err := client.EndOffsets(b.Context(), topic)
			check(b, err)
			n := at[connector.TopicPartition{Topic: topic}]
			if now := time.Now(); n >= least {
				return now
			} else if now.After(deadline) {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				b.Fatalf("%d of %d records are there\n%s", n, copyRecords, &out)
			}
			time.Sleep(time.Millisecond)
		}
	}
	began := has(1)
	took := has(copyRecords).Sub(began)
	if ends {
		check(b, cmd.Wait())
		c := costOf(b, cmd, out.String())
		c.took = took
		return c
	}
	check(b, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	return laneCost{passes: 1, took: took, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
}
