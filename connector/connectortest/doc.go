// Package connectortest has the suites that every plugin passes, and the parts
// of the runtime that a plugin needs, in memory.
//
// A plugin's test calls its suite: [Source], [Sink], [Transform] or [Converter].
// Each case of a suite is a promise of the contract in package connector, with
// the runtime's part played as the runtime plays it. The suites look for
// goroutines that are left behind, so their tests are not to run in parallel
// with others. Each begins with [Plugin], which a predicate's test calls by itself:
// the plugin and its keys have a name and a sentence, and keys for secrets hide them.
//
//	func TestPromises(t *testing.T) {
//		connectortest.Source(t, connectortest.SourceCase{
//			New:   func() connector.Source { return new(Source) },
//			Props: connector.Props{"topic": "ctd", "scans": "250"},
//			Want:  250,
//		})
//	}
//
// # Source
//
//   - gives valid records, the same ones again: values fit their schemas,
//     partitions and offsets are JSON, and a second run without a commit gives
//     the same records, in the same order within each source partition.
//   - resumes behind every committed offset: with the offset of any record
//     committed, a fresh instance goes on with the next one of its partition.
//     An offset that is ahead of its record loses records, one that is behind
//     repeats them; both fail. With all committed nothing comes again.
//   - loses nothing over restarts: offsets of a run that had itself resumed
//     lead on, too.
//   - an outage loses nothing (with [SourceCase.Break]): errors of the system
//     are retriable, from Start too, and the next Poll gives what the failed
//     one did not. The runtime discards records that come beside a retriable
//     error: they are to come again.
//   - leaves records as they are: neither a record, its partition or offset,
//     nor the batch is changed after Poll has given it.
//   - an idle Poll ends with its context: that is how a task stops. Stop comes
//     after Poll has returned.
//   - stops twice and without a start; leaves no goroutine.
//
// # Sink
//
// The test gives a way to read back what the system holds, and the suite
// compares it with what was put: a hundred records of three partitions.
//
//   - holds what was put: when Put, and Flush of a Flusher, have returned nil, the
//     records are there, all of them, once, in the order of each partition, or
//     the last of each key where the sink upserts. Not only after Stop: the
//     process may be killed, and the offsets are committed by then.
//   - an empty batch changes nothing; records are left as they are.
//   - the next task goes on where the last one ended.
//   - records that come again are not lost or mixed up: after a crash what was
//     not committed is put again, in other batches. A sink with keys holds the
//     same as without; one that appends may hold records twice.
//   - an outage loses nothing (with [SinkSystem.Break]): errors of the system are
//     retriable, no record is reported for them, neither Put nor Flush says nil
//     meanwhile, and when the same batch, or Flush, is called again everything is
//     there.
//   - a cancelled Put loses nothing: it returns, and the same instance takes the
//     batch again. A hanging Put ends with its context (with [SinkSystem.Hang]).
//   - a rebalance loses nothing: partitions move to another task and back, with
//     a flush and without. A PartitionListener is told; records of the
//     partitions that it keeps stay its own.
//   - what may be committed is held: offsets that a PreCommitter chooses are none
//     beyond what it was given, and all before them is in the system. With the
//     case's configuration it chooses all that it has taken, sooner or later.
//   - a preview writes nothing: a Previewer shows something, and the system is as
//     before, also where it may try what it would write.
//   - stops twice and without a start; leaves no goroutine.
//
// # Transform
//
//   - results are valid: they fit their schemas, and a record that cannot be
//     changed is an error of that record, not of the task, and no panic:
//     tombstones, maps, structs and plain values of other shapes come, too.
//   - leaves its input alone; results stay as they are, whatever comes later.
//   - a record has the same result whatever came before, but for what a
//     StatefulTransform keeps in its store; instances do not disturb each other.
//   - a batch is its records: as many results, in their order, each what the
//     record has alone, and the slice is not kept.
//   - closes twice and without a configuration; leaves no goroutine.
//
// # Converter
//
//   - reads back what it writes, as key and as value, with a schema that it
//     fits; the same value is the same bytes. Null stays null.
//   - values, and bytes that were handed over, stay as they are; the bytes that
//     are read are not kept, but by a value that is a []byte.
//   - refuses bad bytes, and values that do not fit their schema, naming the
//     field: errors of the kind data. Odd values and bytes do no harm.
//   - instances do not disturb each other; closes twice and without a
//     configuration; leaves no goroutine.
//
// # Promises that are not kept yet
//
// KnownFailures of a case names the cases of the suite that the plugin fails, and
// why. They are tried all the same: one that passes by now fails the test until it
// is taken off the list.
package connectortest
