package dlq

import (
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Replays is the header that counts how often a record was sent again.
const Replays = "hydraulics.dlq.replays"

// Letter is a dead letter with what its headers say.
type Letter struct {
	Message kafka.Message // as the dead-letter topic has it

	// Topic, Partition and Offset are where the record was read from. A source's
	// was read nowhere and has SourcePartition and SourceOffset: Topic is where it
	// was to go. A letter without context headers has none of all this.
	Topic                         string
	Partition                     int32 // connector.AnyPartition of a source's
	Offset                        int64
	SourcePartition, SourceOffset string

	Connector, Task, Stage, Class string
	Exception, Text, Trace        string
	OmittedBytes                  string // the size of a value that was left out
	Replayed                      int    // how often the record was sent again before it died
}

// Open reads the headers of a dead letter.
func Open(m kafka.Message) Letter {
	h := Read(m)
	l := Letter{Message: m, Topic: h[Topic], Partition: connector.AnyPartition, SourcePartition: h[SourcePartition], SourceOffset: h[SourceOffset],
		Connector: h[Connector], Task: h[Task], Stage: h[Stage], Class: h[Class], Exception: h[Exception], Text: h[Message], Trace: h[Stacktrace],
		OmittedBytes: h[Omitted]}
	if p, err := strconv.ParseInt(h[Partition], 10, 32); err == nil {
		l.Partition = int32(p)
	}
	l.Offset, _ = strconv.ParseInt(h[Offset], 10, 64) // 0 where it is not known
	for _, h := range m.Headers {
		if h.Key == Replays {
			l.Replayed, _ = strconv.Atoi(string(h.Value)) // what is no number was not ours
		}
	}
	return l
}

// Again gives the record as it was before it died, to be sent to where it was
// read from, with one more replay in its header.
func (l Letter) Again() kafka.Message {
	m := kafka.Message{Topic: l.Topic, Partition: l.Partition, Key: l.Message.Key, Value: l.Message.Value, Timestamp: l.Message.Timestamp}
	for _, h := range l.Message.Headers {
		if !strings.HasPrefix(h.Key, prefix) && h.Key != Replays {
			m.Headers = append(m.Headers, h)
		}
	}
	m.Headers = append(m.Headers, kafka.Header{Key: Replays, Value: strconv.AppendInt(nil, int64(l.Replayed)+1, 10)})
	return m
}
