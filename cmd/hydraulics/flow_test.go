package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/watch"
	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// await waits until ok, without a guess how long that takes.
var await = wait.Until

// stream is a broker with images, and a folder for flows and models.
type stream struct {
	t      *testing.T
	dir    string
	broker string
	faults *kafkatest.Broker
	client *kafka.Client
}

func newStream(t *testing.T) *stream {
	t.Helper()
	b := kafkatest.New(t)
	s := &stream{t: t, dir: t.TempDir(), broker: b.Addr(), faults: b}
	var err error
	if s.client, err = kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{s.broker}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.Close)
	return s
}

func (s *stream) topic(name string, partitions int32) {
	s.t.Helper()
	if err := s.client.CreateTopic(s.t.Context(), kafka.TopicSpec{Name: name, Partitions: partitions, Replication: 1}); err != nil {
		s.t.Fatal(err)
	}
}

// plankter is a dark disc on a bright ground, different for each number.
func plankter(n int) []byte {
	img := image.NewGray(image.Rect(0, 0, 40+n%40, 36+n%31))
	w, h, r := img.Rect.Dx(), img.Rect.Dy(), 9+n%5
	for y := range h {
		for x := range w {
			shade := 200 + (x*y+n)%9
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < r*r {
				shade = 50 + (n*7+x)%40
			}
			img.SetGray(x, y, color.Gray{Y: uint8(shade)})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// target names the image of a number.
func target(n int) string { return fmt.Sprintf("D20190728T212639_IFCB104_%05d", n) }

// publish writes the images of some numbers in the original's form, at a time
// of their own each: a second after the one before.
func (s *stream) publish(topic string, from, to int) error {
	p, err := s.client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // Flush has said what there is to say
	for n := from; n < to; n++ {
		value, err := json.Marshal(map[string]any{"ifcb_id": "IFCB104", "datetime": 1_564_000_000 + n, "roi": n,
			"image": base64.StdEncoding.EncodeToString(plankter(n))})
		if err != nil {
			return err
		}
		m := kafka.Message{Topic: topic, Partition: connector.AnyPartition, Key: []byte(target(n)), Value: value, Timestamp: connector.NoTimestamp}
		if err := p.Send(s.t.Context(), m, func(connector.RecordMetadata, error) {}); err != nil {
			return err
		}
	}
	return p.Flush(s.t.Context())
}

// read gives all messages of a topic, partition by partition.
func (s *stream) read(topic string) []kafka.Message {
	s.t.Helper()
	n, err := s.client.Partitions(s.t.Context(), topic)
	if err != nil {
		return nil
	}
	var list []kafka.Message
	for p := range n {
		err := s.client.ReadPartition(s.t.Context(), connector.TopicPartition{Topic: topic, Partition: p}, 0, func(m kafka.Message) error {
			list = append(list, m)
			return nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return list
}

// model writes the bundled model under a name, with its manifest changed by
// pairs of old and new text. There is no digest in it, so that the two may differ.
func (s *stream) model(name string, change ...string) string {
	s.t.Helper()
	file, err := configs.FS.ReadFile("demo/demo-plankton.onnx")
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(name+".onnx", file)
	s.put(name+".yaml", s.manifest(change...))
	return filepath.Join(s.dir, name+".onnx")
}

func (s *stream) manifest(change ...string) []byte {
	s.t.Helper()
	text, err := configs.FS.ReadFile("demo/demo-plankton.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	var kept strings.Builder
	for _, l := range lines {
		if !strings.HasPrefix(l, "digest:") {
			kept.WriteString(l)
		}
	}
	return []byte(strings.NewReplacer(change...).Replace(kept.String()))
}

// put replaces a file as a whole.
func (s *stream) put(name string, data []byte) {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.WriteFile(file+".part", data, 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(file+".part", file); err != nil {
		s.t.Fatal(err)
	}
}

// start runs the flow of a file until the test ends.
func (s *stream) start(name, text string) *cli.Worker {
	s.t.Helper()
	s.put(name, []byte(text))
	journey, err := config.Read(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	w, err := cli.StartWorker(s.t.Context(), cli.WorkerOptions{Setup: journey, Defaults: configs.FS, Quiet: true, Log: log})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = s.close(w, wait.Patience) })
	return w
}

// close stops a worker that has this long for it.
func (s *stream) close(w *cli.Worker, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return w.Close(ctx)
}

// caughtUp waits until a connector has committed all of a topic.
func (s *stream) caughtUp(name, topic string) {
	s.t.Helper()
	await(s.t, name+" reads "+topic, func() bool {
		done, err := watch.CaughtUp(s.t.Context(), s.client, "connect-"+name, topic)
		return err == nil && done
	})
}

// counted gives a metric of a worker's tasks.
func counted(w *cli.Worker, name string) float64 {
	sum := 0.0
	for _, stats := range w.Snapshots() {
		sum += watch.Sample(stats, name)
	}
	return sum
}

// dropped gives how many records the tasks of a worker have dropped.
func dropped(list []runtime.Stats) (n int64) {
	for _, stats := range list {
		n += stats.Dropped
	}
	return n
}
