package tools

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// Version is what the connectors report.
const Version = "1.0.0"

// javaPackage is where Kafka Connect has its tools.
const javaPackage = "org.apache.kafka.connect.tools."

// printer prints lines of JSON, whole ones, which several tasks share.
type printer struct {
	mu sync.Mutex
	to io.Writer
}

// stdout is the process's standard output.
var stdout = &printer{to: os.Stdout}

// line is what is printed of a record.
type line struct {
	Name     string          `json:"name"`
	Task     json.RawMessage `json:"task"` // the number of the verifiable source's task: the record's key
	SinkTask *int            `json:"sinkTask,omitempty"`
	Topic    string          `json:"topic"`
	TimeMS   int64           `json:"time_ms"`
	Seqno    json.RawMessage `json:"seqno"` // the record's value
	Offset   *int64          `json:"offset,omitempty"`
	// Committed and Flushed are of a second line of the same record.
	Committed bool `json:"committed,omitempty"`
	Flushed   bool `json:"flushed,omitempty"`
}

func (p *printer) print(lines ...line) error {
	var text []byte
	for _, l := range lines {
		b, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("line of record %s: %w", l.Seqno, err)
		}
		text = append(append(text, b...), '\n')
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.to.Write(text)
	return err
}

// raw gives a key or value as JSON.
func raw(schema *connector.Schema, v any) (json.RawMessage, error) {
	return plainjson.Append(nil, schema, v)
}
