package registryd

import (
	"context"
	"slices"
	"sync"
)

// MemoryLog is a log that ends with the process.
type MemoryLog struct {
	mu      sync.Mutex
	entries [][2][]byte
}

var _ Log = (*MemoryLog)(nil)

// Append adds an entry.
func (l *MemoryLog) Append(_ context.Context, key, value []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, [2][]byte{key, value})
	return nil
}

// Replay gives all entries.
func (l *MemoryLog) Replay(_ context.Context, entry func(key, value []byte) error) error {
	l.mu.Lock()
	entries := slices.Clone(l.entries)
	l.mu.Unlock()
	for _, e := range entries {
		if err := entry(e[0], e[1]); err != nil {
			return err
		}
	}
	return nil
}
