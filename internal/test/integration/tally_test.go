//go:build integration

package integration

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/converter/avro"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

// read gives all messages of a topic, none of one that is not there.
func (s *stack) read(topic string) []kafka.Message {
	s.t.Helper()
	n, err := s.kafka.Partitions(s.t.Context(), topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil
	}
	check(s.t, err)
	var list []kafka.Message
	for p := range n {
		before := len(list)
		eventually(s.t, "partition "+fmt.Sprint(p)+" of "+topic, func() bool { // a new one may have no leader yet
			list = list[:before]
			err = s.kafka.ReadPartition(s.t.Context(), connector.TopicPartition{Topic: topic, Partition: p}, 0, func(m kafka.Message) error {
				list = append(list, m)
				return nil
			})
			return connector.KindOf(err) != connector.KindRetriable
		})
		check(s.t, err)
	}
	return list
}

// written gives the number of records that a topic ever had.
func (s *stack) written(topic string) int {
	s.t.Helper()
	var ends map[connector.TopicPartition]int64
	var err error
	eventually(s.t, "the ends of "+topic, func() bool { // a new partition may have no leader yet
		ends, err = s.kafka.EndOffsets(s.t.Context(), topic)
		return errors.Is(err, kafka.ErrUnknownTopic) || connector.KindOf(err) != connector.KindRetriable
	})
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return 0
	}
	check(s.t, err)
	sum := int64(0)
	for _, n := range ends {
		sum += n
	}
	return int(sum)
}

// caughtUp tells whether a group has committed all of a topic.
func (s *stack) caughtUp(group, topic string) bool {
	s.t.Helper()
	ends, err := s.kafka.EndOffsets(s.t.Context(), topic)
	if err != nil {
		return false
	}
	committed, err := s.kafka.CommittedOffsets(s.t.Context(), group)
	if err != nil {
		return false // there is no such group yet
	}
	for tp, end := range ends {
		if committed[tp] < end {
			return false
		}
	}
	return true
}

// avroReader gives what reads the Avro keys or values of a registry.
func (s *stack) avroReader(key bool) *avro.Converter {
	s.t.Helper()
	c := new(avro.Converter)
	check(s.t, c.Configure(connectortest.Context(s.t), connectortest.Configure(s.t, c, connector.Props{"schema.registry.url": s.registry}), key))
	s.t.Cleanup(func() { check(s.t, c.Close()) })
	return c
}

// tally counts the keys of a topic: those of images, which are text, and those
// of statistics, which are Avro.
func (s *stack) tally(topic string, avroKeys bool) map[string]int {
	s.t.Helper()
	reader := s.avroReader(true)
	counts := map[string]int{}
	for _, m := range s.read(topic) {
		key := string(m.Key)
		if avroKeys {
			key = s.imageKey(reader, m)
		}
		counts[key]++
	}
	return counts
}

// imageKey gives the name of the image that a statistics record is about.
func (s *stack) imageKey(reader *avro.Converter, m kafka.Message) string {
	s.t.Helper()
	k := s.decode(reader, m.Topic, m.Key)
	pid, _ := k.Get("pid")
	roi, _ := k.Get("roi")
	return fmt.Sprintf("%s_%05d", pid, roi)
}

func (s *stack) decode(reader *avro.Converter, topic string, data []byte) *connector.Struct {
	s.t.Helper()
	_, v, err := reader.ToConnect(s.t.Context(), topic, data)
	check(s.t, err)
	x, ok := v.(*connector.Struct)
	if !ok {
		s.t.Fatalf("%s: a record holds %v", topic, v)
	}
	return x
}

// stats gives the last statistics of each image.
func (s *stack) stats(topic string) map[string]*connector.Struct {
	s.t.Helper()
	keys, values := s.avroReader(true), s.avroReader(false)
	found := map[string]*connector.Struct{}
	for _, m := range s.read(topic) {
		found[s.imageKey(keys, m)] = s.decode(values, topic, m.Value)
	}
	return found
}

// complete checks that a tally has each of some keys, and no other, and gives
// how many came again.
func complete(t *testing.T, what string, got map[string]int, want []string) (again int) {
	t.Helper()
	var missing []string
	rest := maps.Clone(got)
	for _, key := range want {
		if got[key] == 0 {
			missing = append(missing, key)
			continue
		}
		again += got[key] - 1
		delete(rest, key)
	}
	if len(missing) > 0 || len(rest) > 0 {
		t.Errorf("%s: %d of %d are missing: %v; %d are too many: %v", what, len(missing), len(want), some(missing),
			len(rest), some(slices.Sorted(maps.Keys(rest))))
	}
	return again
}

// some gives the first of a long list.
func some(list []string) []string { return list[:min(8, len(list))] }

// row is a row of the table by image: pid_roi.
type row struct {
	Time      int64
	IFCB      string
	ROI       int
	Name      string
	Prob      float64
	Model     string
	Biovolume float64
	Carbon    float64
	HAB       bool
}

// table reads the table of the statistics, without the time of classification.
func (s *stack) table() []row {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), "SELECT time, ifcb_id, roi, name, prob, classifier, biovolume, carbon, hab"+
		" FROM ifcb_sample_stats ORDER BY time, ifcb_id, roi")
	check(s.t, err)
	defer rows.Close()
	var list []row
	for rows.Next() {
		var r row
		check(s.t, rows.Scan(&r.Time, &r.IFCB, &r.ROI, &r.Name, &r.Prob, &r.Model, &r.Biovolume, &r.Carbon, &r.HAB))
		list = append(list, r)
	}
	check(s.t, rows.Err())
	return list
}

// count gives the number of rows of the table.
func (s *stack) count() int {
	s.t.Helper()
	n := 0
	check(s.t, s.pool.QueryRow(s.t.Context(), "SELECT count(*) FROM ifcb_sample_stats").Scan(&n))
	return n
}

// rows gives the answer to a query as text.
func (s *stack) rows(sql string) string {
	s.t.Helper()
	return strings.Join(pgtest.Rows(s.t, s.pool, sql), "\n")
}

// letter is what the headers of a dead letter tell.
type letter struct{ connector, stage, message, trace string }

func newLetter(m kafka.Message) letter {
	h := map[string]string{}
	for _, header := range m.Headers {
		h[header.Key] = string(header.Value)
	}
	return letter{h["__connect.errors.connector.name"], h["__connect.errors.stage"],
		h["__connect.errors.exception.message"], h["__connect.errors.exception.stacktrace"]}
}
