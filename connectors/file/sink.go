package file

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

var (
	_ connector.Sink    = (*Sink)(nil)
	_ connector.Flusher = (*Sink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(Sink) }) }

// writeSize is about how much is written at once.
const writeSize = 1 << 20

// Sink appends each record's value to a file, or prints it, as one line.
type Sink struct {
	out output
	// open is openFile but in tests of faults.
	open func(name string) (output, error)
}

// output is an open file, or one that fails in a test.
type output interface {
	io.Writer
	Sync() error
	Close() error
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
		s.out = stdout{os.Stdout}
		return nil
	}
	open := s.open
	if open == nil {
		open = openFile
	}
	f, err := open(name)
	if err != nil {
		return err
	}
	s.out = appendTo(f, name)
	return nil
}

func openFile(name string) (output, error) {
	return os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
}

// stdout is standard output, which others write to as well.
type stdout struct{ io.Writer }

func (stdout) Sync() error  { return nil }
func (stdout) Close() error { return nil }

// Put hands the lines to the operating system, so that whoever follows the file
// sees them; Flush makes them durable. Whole lines are written at once: other
// tasks append to the file too, and would come between their parts. Where a write
// breaks off, on a full disk, they come again.
func (s *Sink) Put(_ context.Context, records []connector.Record) error {
	appended, ok := s.out.(*appended)
	lines := texts.Get().(*[]byte)
	*lines = (*lines)[:0] // one that panicked may have left some
	defer texts.Put(lines)
	for _, r := range records {
		text := tostring.String(r.Value)
		long := len(text) >= writeSize
		if long || len(*lines) >= writeSize {
			if err := s.write(lines); err != nil {
				return err
			}
		}
		if ok && long {
			if err := appended.WriteLine(text); err != nil {
				return connector.Coded("H7006", connector.Retriable(err))
			}
			continue
		}
		*lines = append(append(*lines, text...), '\n')
	}
	return s.write(lines)
}

// texts are for lines on their way: sinks that have nothing to write keep none.
var texts = sync.Pool{New: func() any { return new([]byte) }}

// write writes lines, after which there are none.
func (s *Sink) write(lines *[]byte) error {
	if len(*lines) == 0 {
		return nil
	}
	_, err := s.out.Write(*lines)
	if *lines = (*lines)[:0]; cap(*lines) > 2*writeSize {
		*lines = nil // a long line is not kept for the next
	}
	return connector.Coded("H7006", connector.Retriable(err))
}

// Flush syncs the file. An error ends the task: what the system could not write
// down then is not tried by the next sync, so the records have to be put again.
func (s *Sink) Flush(context.Context) error {
	return connector.Coded("H7006", connector.Fatal(s.out.Sync()))
}

// Stop closes the file. What was put and not flushed is put again by the next task.
func (s *Sink) Stop() error {
	f := s.out
	s.out = nil
	if f == nil {
		return nil
	}
	return f.Close()
}
