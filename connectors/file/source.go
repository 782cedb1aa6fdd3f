package file

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Version is what the connectors report.
const Version = "1.0.0"

var _ connector.Source = (*Source)(nil)

func init() { connector.RegisterSource(func() connector.Source { return new(Source) }) }

// Source gives each line of a file, or of standard input, as a string record,
// and goes on as the file grows. Its offset is the byte position behind the
// line, so it resumes to the line. A last line without line feed waits.
type Source struct {
	topic string
	batch int
	tail  *tail
	// partition is that of all records: who is given the same map need not compare.
	partition map[string]any
	lines     chan string // standard input only, which cannot be unblocked
	// open is os.Open but in tests of faults.
	open func(name string) (opened, error)
}

// Info describes the plugin.
func (*Source) Info() connector.Info {
	return connector.Info{
		Name: "file-source", Version: Version,
		Class: "org.apache.kafka.connect.file.FileStreamSourceConnector",
		Doc:   "Gives the lines of a file as records.",
	}
}

// ConfigDef gives the keys of FileStreamSourceConnector.
func (*Source) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "file", Type: connector.StringKey, Importance: connector.High,
			Doc: "Source filename. If not specified, the standard input will be used"},
		connector.Key{Name: "topic", Type: connector.StringKey, Required: true, Importance: connector.High,
			Check: connector.NotEmpty, Doc: "The topic to publish data to"},
		connector.Key{Name: "batch.size", Type: connector.IntKey, Default: 2000, Importance: connector.Low,
			Doc: "The maximum number of records the source task can read from the file each time it is polled"},
	)
}

// TaskConfigs gives one task: a file has one reader.
func (*Source) TaskConfigs(_ context.Context, _ connector.Context, conf connector.Config, _ int) ([]connector.Props, error) {
	return []connector.Props{conf.Props()}, nil
}

// Start notes where to go on. The file may come later: Poll waits for it.
func (s *Source) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.topic, s.batch = conf.String("topic"), conf.Int("batch.size")
	if s.batch < 1 {
		return fmt.Errorf("batch.size: %d is below 1", s.batch)
	}
	name := conf.String("file")
	if name == "" {
		s.lines = make(chan string)
		go readStdin(s.lines)
		return nil
	}
	s.partition = map[string]any{"filename": name}
	offset, err := c.Offsets.Offset(ctx, s.partition)
	if err != nil {
		return fmt.Errorf("offset of %s: %w", name, err)
	}
	from, err := markOf(offset)
	if err != nil {
		return fmt.Errorf("offset of %s: %w", name, err)
	}
	open := s.open
	if open == nil {
		open = func(name string) (opened, error) { return os.Open(name) }
	}
	s.tail = &tail{name: name, log: c.Log, open: open, from: from}
	return nil
}

// readStdin ends with the process: a read of standard input cannot be taken back.
func readStdin(out chan<- string) {
	r := bufio.NewReader(os.Stdin)
	for {
		text, err := r.ReadString('\n')
		if text != "" {
			out <- strings.TrimRight(text, "\r\n")
		}
		if err != nil {
			close(out)
			return
		}
	}
}

// Poll gives the next lines, waiting up to a second for some.
func (s *Source) Poll(ctx context.Context) ([]connector.SourceRecord, error) {
	if s.lines != nil {
		return s.pollStdin(ctx)
	}
	lines, err := s.tail.next(s.batch)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		rest(ctx)
		return nil, nil
	}
	records := make([]connector.SourceRecord, len(lines))
	for i, l := range lines {
		records[i] = s.record(l.text)
		records[i].SourcePartition = s.partition
		records[i].SourceOffset = l.mark.offset()
	}
	return records, nil
}

func (s *Source) pollStdin(ctx context.Context) ([]connector.SourceRecord, error) {
	select {
	case <-ctx.Done():
		return nil, nil
	case line, ok := <-s.lines:
		if !ok {
			rest(ctx)
			return nil, nil
		}
		return []connector.SourceRecord{s.record(line)}, nil
	}
}

func (s *Source) record(text string) connector.SourceRecord {
	return connector.SourceRecord{Record: connector.NewRecord(s.topic, nil, nil, connector.StringSchema, text)}
}

// Stop closes the file.
func (s *Source) Stop() error {
	if s.tail == nil {
		return nil
	}
	return s.tail.close()
}
