package file

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Version is what the connectors report.
const Version = "1.0.0"

// idle is how long Poll waits for a file to appear or grow.
const idle = time.Second

var _ connector.Source = (*Source)(nil)

func init() { connector.RegisterSource(func() connector.Source { return new(Source) }) }

// Source gives each line of a file, or of standard input, as a string record,
// and goes on as the file grows. Its offset is the byte position behind the
// line, so it resumes to the line. A last line without line feed waits.
type Source struct {
	name   string
	topic  string
	batch  int
	file   io.ReadCloser
	reader *bufio.Reader
	// position is the offset of the next unread line, partial what was read of it.
	position int64
	partial  []byte
	offsets  connector.OffsetReader
	log      *slog.Logger
	waiting  bool // it was said that the file is not there
	closer   sync.Once
	lines    chan string // standard input only, which cannot be unblocked
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

// Start notes the configuration. The file may come later: Poll waits for it.
func (s *Source) Start(_ context.Context, c connector.Context, conf connector.Config) error {
	s.name, s.topic, s.batch = conf.String("file"), conf.String("topic"), conf.Int("batch.size")
	if s.batch < 1 {
		return fmt.Errorf("batch.size: %d is below 1", s.batch)
	}
	s.offsets, s.log = c.Offsets, c.Log
	if s.name == "" {
		s.lines = make(chan string)
		go readStdin(s.lines)
	}
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
	if s.reader == nil {
		opened, err := s.open(ctx)
		if err != nil || !opened {
			return nil, err
		}
	}
	records, err := s.read()
	if err != nil || len(records) > 0 {
		return records, err
	}
	wait(ctx, idle)
	return nil, nil
}

func (s *Source) pollStdin(ctx context.Context) ([]connector.SourceRecord, error) {
	select {
	case <-ctx.Done():
		return nil, nil
	case line, ok := <-s.lines:
		if !ok {
			wait(ctx, idle)
			return nil, nil
		}
		return []connector.SourceRecord{s.record(line)}, nil
	}
}

// open opens the file at the committed position; false while there is none.
func (s *Source) open(ctx context.Context) (bool, error) {
	f, err := os.Open(s.name)
	if errors.Is(err, fs.ErrNotExist) {
		if !s.waiting && s.log != nil {
			s.waiting = true
			place, _ := filepath.Abs(s.name) // relative to where the worker runs, as in Java
			s.log.Warn("the file is not there, waiting for it", "file", place)
		}
		wait(ctx, idle)
		return false, nil
	}
	if err != nil {
		return false, connector.Retriable(err)
	}
	if s.offsets != nil {
		off, err := s.offsets.Offset(ctx, map[string]any{"filename": s.name})
		if err != nil {
			_ = f.Close()
			return false, fmt.Errorf("offset of %s: %w", s.name, err)
		}
		if s.position, err = position(off); err != nil {
			_ = f.Close()
			return false, fmt.Errorf("offset of %s: %w", s.name, err)
		}
	}
	if _, err := f.Seek(s.position, io.SeekStart); err != nil {
		_ = f.Close()
		return false, connector.Retriable(err)
	}
	s.file, s.reader = f, bufio.NewReaderSize(f, 64<<10)
	return true, nil
}

func position(offset map[string]any) (int64, error) {
	switch v := offset["position"].(type) {
	case nil:
		return 0, nil
	case json.Number:
		return v.Int64()
	default:
		return 0, fmt.Errorf("position is a %T, expected a number", v)
	}
}

func (s *Source) read() ([]connector.SourceRecord, error) {
	var records []connector.SourceRecord
	for len(records) < s.batch {
		chunk, err := s.reader.ReadBytes('\n')
		s.partial = append(s.partial, chunk...)
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, connector.Retriable(fmt.Errorf("%s: %w", s.name, err))
		}
		s.position += int64(len(s.partial))
		text := string(bytes.TrimRight(s.partial, "\r\n"))
		s.partial = s.partial[:0]
		r := s.record(text)
		r.SourcePartition = map[string]any{"filename": s.name}
		r.SourceOffset = map[string]any{"position": s.position}
		records = append(records, r)
	}
	return records, nil
}

func (s *Source) record(text string) connector.SourceRecord {
	return connector.SourceRecord{Record: connector.NewRecord(s.topic, nil, nil, connector.StringSchema, text)}
}

// Stop closes the file.
func (s *Source) Stop() error {
	var err error
	s.closer.Do(func() {
		if s.file != nil {
			err = s.file.Close()
		}
	})
	return err
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
