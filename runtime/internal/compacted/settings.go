package compacted

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Use is what one of the internal topics is for: what its keys of a worker start
// with.
type Use string

// The uses.
const (
	Configs  Use = "config.storage."
	Offsets  Use = "offset.storage."
	Statuses Use = "status.storage."
)

// Settings are those of an internal topic.
type Settings struct {
	Use         Use
	Topic       string
	Partitions  int32 // -1 is the broker's default
	Replication int16 // -1 is the broker's default
	// Config has further settings with which the topic is created, by the names
	// that topics have for them.
	Config map[string]string
}

// partitions of a topic that is created, unless it is said otherwise.
var partitions = map[Use]int32{Configs: 1, Offsets: 25, Statuses: 5}

// Of gives the settings of a topic from a worker's keys: PREFIXtopic, which is
// needed, PREFIXreplication.factor (3), PREFIXpartitions, and with the prefix any
// setting of a topic but cleanup.policy. Ignored are keys that Kafka Connect
// ignores, too.
func (u Use) Of(worker connector.Props) (s Settings, ignored []string, err error) {
	s = Settings{Use: u, Partitions: partitions[u], Replication: 3, Config: map[string]string{}}
	var errs []error
	number := func(key, text string, most int64) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n == 0 || n < -1 || n > most {
			errs = append(errs, fmt.Errorf("%s: %q is neither -1, the broker's default, nor a number of 1 to %d", key, text, most))
		}
		return n
	}
	for _, key := range slices.Sorted(maps.Keys(worker)) {
		name, ours := strings.CutPrefix(key, string(u))
		text, ok := worker.Text(key)
		switch {
		case !ours || !ok:
		case name == "topic":
			s.Topic = strings.TrimSpace(text)
		case name == "replication.factor":
			s.Replication = int16(number(key, text, math.MaxInt16))
		case name == "partitions" && u != Configs:
			s.Partitions = int32(number(key, text, math.MaxInt32))
		case name == "partitions", name == cleanup, name == "file.filename": // the last is of a worker by itself
			ignored = append(ignored, key)
		default:
			s.Config[name] = text
		}
	}
	if s.Topic == "" {
		errs = append(errs, fmt.Errorf("%stopic: missing: name the topic", u))
	}
	return s, ignored, errors.Join(errs...)
}

// spec is the topic as it is made: compacted, whatever else is said of that.
func (s Settings) spec() kafka.TopicSpec {
	conf := maps.Clone(s.Config)
	if conf == nil {
		conf = map[string]string{}
	}
	conf[cleanup] = "compact"
	return kafka.TopicSpec{Name: s.Topic, Partitions: s.Partitions, Replication: s.Replication, Config: conf}
}
