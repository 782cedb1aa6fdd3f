// Package registryd runs a schema registry inside the process: Confluent's HTTP
// API for schemas of Avro, Protobuf and JSON Schema, with real compatibility checks, kept in a compacted log
// in the format of Confluent's own _schemas topic. It is for one process on a
// laptop, a ship or in tests; there is no leader election and no security, which
// is why it listens on 127.0.0.1 only unless told otherwise.
package registryd

import "context"

// Log keeps the registry's entries. The embedded broker's compacted topics are
// such logs.
type Log interface {
	// Append writes one entry; a nil value deletes the key. When it returns nil
	// the entry survives the process.
	Append(ctx context.Context, key, value []byte) error
	// Replay calls entry for every entry so far, in order; compaction may have
	// left out entries whose key was written again.
	Replay(ctx context.Context, entry func(key, value []byte) error) error
}
