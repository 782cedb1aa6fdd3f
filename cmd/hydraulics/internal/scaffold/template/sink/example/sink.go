// Package example is a sink. It writes each record into a file that is named by its
// key: Put is where yours writes to another system.
package example

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Sink = (*Sink)(nil)

func init() { connector.RegisterSink(func() connector.Sink { return new(Sink) }) }

// Sink keeps one file per key.
type Sink struct{ folder string }

// Info names the plugin: connector.class: example
func (*Sink) Info() connector.Info {
	return connector.Info{Name: "example", Version: "0.1.0", Doc: "Writes records into files that their keys name."}
}

// ConfigDef gives the keys; the worker checks them and reports every mistake at once.
func (*Sink) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "folder", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Doc: "Where the files are."},
	)
}

// Start connects.
func (s *Sink) Start(_ context.Context, _ connector.Context, conf connector.Config) error {
	s.folder = conf.String("folder")
	return os.MkdirAll(s.folder, 0o755)
}

// Put writes a batch. It may come again: the same record makes the same file. An error
// that is not marked ends the task; one marked with connector.Retriable has the batch
// put again.
func (s *Sink) Put(ctx context.Context, records []connector.Record) error {
	for _, r := range records {
		if err := ctx.Err(); err != nil {
			return connector.Retriable(err)
		}
		if err := s.write(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink) write(r connector.Record) error {
	key, ok := r.Key.(string)
	if !ok || key == "" {
		return fmt.Errorf("%s[%d]@%d: the key is no text that could name a file: set key.converter: string", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset)
	}
	name := filepath.Join(s.folder, "k-"+url.PathEscape(key))
	var err error
	switch value := r.Value.(type) {
	case nil: // a tombstone
		if err = os.Remove(name); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	case string:
		begun := filepath.Join(s.folder, "new-"+url.PathEscape(key))
		if err = os.WriteFile(begun, []byte(value), 0o644); err == nil {
			err = os.Rename(begun, name) // whole or not at all
		}
	default:
		return fmt.Errorf("%s[%d]@%d: the value is no text: set value.converter: string", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset)
	}
	return connector.Retriable(err)
}

// Stop disconnects. It may be called twice, and without Start.
func (s *Sink) Stop() error { return nil }
