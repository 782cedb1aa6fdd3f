package file

import (
	"bufio"
	"context"
	"errors"
	"os"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

var (
	_ connector.Sink    = (*Sink)(nil)
	_ connector.Flusher = (*Sink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(Sink) }) }

// Sink appends each record's value to a file, or prints it, as one line.
type Sink struct {
	file *os.File
	out  *bufio.Writer
}

// Info describes the plugin.
func (*Sink) Info() connector.Info {
	return connector.Info{
		Name: "file-sink", Version: Version,
		Class: "org.apache.kafka.connect.file.FileStreamSinkConnector",
		Doc:   "Appends the values of records to a file.",
	}
}

// ConfigDef gives the keys of FileStreamSinkConnector.
func (*Sink) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(connector.Key{Name: "file", Type: connector.StringKey, Importance: connector.High,
		Doc: "Destination filename. If not specified, the standard output will be used"})
}

// Start opens the file for appending.
func (s *Sink) Start(_ context.Context, _ connector.Context, conf connector.Config) error {
	name := conf.String("file")
	if name == "" {
		s.out = bufio.NewWriter(os.Stdout)
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	s.file, s.out = f, bufio.NewWriter(f)
	if endsInALine(name) {
		_, err = f.WriteString("\n")
	}
	return err
}

// endsInALine tells whether a file ends in the middle of a line, which a power
// cut may leave: the next record is not to become a part of it.
func endsInALine(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return errors.Join(err, f.Close()) == nil && last[0] != '\n'
}

// Put buffers the lines; Flush makes them durable. A line is written at once:
// other tasks append to the file too, and would come between its parts.
func (s *Sink) Put(_ context.Context, records []connector.Record) error {
	for _, r := range records {
		line := tostring.String(r.Value) + "\n"
		if len(line) > s.out.Available() {
			if err := s.out.Flush(); err != nil {
				return err
			}
		}
		if _, err := s.out.WriteString(line); err != nil {
			return err
		}
	}
	return nil
}

// Flush writes the buffer and syncs the file.
func (s *Sink) Flush(context.Context) error {
	if err := s.out.Flush(); err != nil {
		return err
	}
	if s.file != nil {
		return s.file.Sync()
	}
	return nil
}

// Stop closes the file. What was put and not flushed is put again by the next task.
func (s *Sink) Stop() error {
	f := s.file
	s.file = nil
	if f == nil {
		return nil
	}
	return f.Close()
}
