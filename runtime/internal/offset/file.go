package offset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gofrs/flock"

	"github.com/axiom-data-science/hydraulics/internal/files"
)

// File keeps offsets in one file of JSON, the standalone worker's
// offset.storage.file.filename. It holds a lock beside the file for as long as
// it is open: two workers on one file would each overwrite the other's offsets.
type File struct {
	name string
	lock *flock.Flock

	mu      sync.Mutex
	closed  bool
	offsets map[string]json.RawMessage // by Key
}

var _ Store = (*File)(nil)

// line is one offset in the file.
type line struct {
	Key   json.RawMessage `json:"key"`
	Value json.RawMessage `json:"value"`
}

// OpenFile opens or creates an offset file. It fails when another worker has
// it open, and when it is not a file of ours: it never overwrites such a one.
func OpenFile(name string) (*File, error) {
	f, err := lockFile(name)
	if err != nil {
		return nil, err
	}
	if err := f.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("offset file %s: %w", name, err), f.Close())
	}
	return f, nil
}

// ReadFile gives an offset file as it is now, for those who only look: it takes no
// lock, and commits are refused. A file that is not there has no offsets.
func ReadFile(name string) (*File, error) {
	f := &File{name: name, closed: true, offsets: map[string]json.RawMessage{}}
	if err := f.load(); err != nil {
		return nil, fmt.Errorf("offset file %s: %w", name, err)
	}
	return f, nil
}

// lockFile takes the lock of an offset file, and has read nothing of it.
func lockFile(name string) (*File, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("offset file %s: %w", name, err)
	}
	// The file itself is replaced on every commit, so the lock cannot be on it.
	lock := flock.New(abs + ".lock")
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("offset file %s: %w; name one in a folder that can be written with offset.storage.file.filename", name, err)
	}
	if !got {
		return nil, fmt.Errorf("offset file %s: another worker is using it; stop that worker or give this one its own offset.storage.file.filename", name)
	}
	return &File{name: abs, lock: lock, offsets: map[string]json.RawMessage{}}, nil
}

func (f *File) load() error {
	data, err := os.ReadFile(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if bytes.HasPrefix(data, []byte(javaMagic)) {
		return errors.New("written by Java's Kafka Connect: stop that worker and run \"import offsets\" on the file, once, " +
			"and sources go on where it was; or point offset.storage.file.filename at a new file, and they start anew")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	var lines []line
	if err := decode(data, &lines); err != nil {
		return fmt.Errorf("not a list of offsets: %w; restore it, or move it away to start anew", err)
	}
	for i, l := range lines {
		name, partition, err := parseKey(string(l.Key))
		if err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
		key, err := Key(name, partition)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
		var offset map[string]any
		if err := decode(l.Value, &offset); err != nil {
			return fmt.Errorf("entry %d: offset: %w", i+1, err)
		}
		f.offsets[key] = l.Value
	}
	return nil
}

// Offset gives the offset of one source partition, nil without one.
func (f *File) Offset(_ context.Context, connector string, partition map[string]any) (map[string]any, error) {
	key, err := Key(connector, partition)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	value, ok := f.offsets[key]
	f.mu.Unlock()
	if !ok {
		return nil, nil
	}
	var offset map[string]any
	if err := decode(value, &offset); err != nil {
		return nil, fmt.Errorf("offset of %s: %w", key, err)
	}
	return offset, nil
}

// List gives all offsets of a connector, sorted by key.
func (f *File) List(_ context.Context, connector string) ([]Entry, error) {
	f.mu.Lock()
	offsets := maps.Clone(f.offsets)
	f.mu.Unlock()
	var list []Entry
	for _, key := range slices.Sorted(maps.Keys(offsets)) {
		name, partition, err := parseKey(key)
		if err != nil {
			return nil, err
		}
		if name != connector {
			continue
		}
		e := Entry{Partition: partition}
		if err := decode(offsets[key], &e.Offset); err != nil {
			return nil, fmt.Errorf("offset of %s: %w", key, err)
		}
		list = append(list, e)
	}
	return list, nil
}

// Commit sets or removes offsets. The file is replaced in one step and synced,
// so that a crash leaves either the old or the new one.
func (f *File) Commit(_ context.Context, connector string, entries []Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fmt.Errorf("offset file %s: closed", f.name)
	}
	next := maps.Clone(f.offsets)
	for _, e := range entries {
		key, err := Key(connector, e.Partition)
		if err != nil {
			return err
		}
		if e.Offset == nil {
			delete(next, key)
			continue
		}
		value, err := canonical(e.Offset)
		if err != nil {
			return fmt.Errorf("offset of %s: %w", key, err)
		}
		next[key] = value
	}
	if err := f.write(next); err != nil {
		return fmt.Errorf("offset file %s: %w", f.name, err)
	}
	f.offsets = next
	return nil
}

func (f *File) write(offsets map[string]json.RawMessage) error {
	var buf bytes.Buffer
	buf.WriteString("[")
	for i, key := range slices.Sorted(maps.Keys(offsets)) {
		if i > 0 {
			buf.WriteString(",")
		}
		fmt.Fprintf(&buf, "\n{\"key\":%s,\"value\":%s}", key, offsets[key])
	}
	buf.WriteString("\n]\n")
	return files.Replace(f.name, buf.Bytes(), f.mode())
}

// mode keeps the permissions that the file has.
func (f *File) mode() fs.FileMode {
	if info, err := os.Stat(f.name); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}

// Close gives the file free for another worker. It is safe twice.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	return f.lock.Unlock()
}
