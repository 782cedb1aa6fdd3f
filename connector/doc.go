// Package connector is the contract between hydraulics and its plugins. It
// imports the standard library only: a plugin that compiles against it runs in
// every hydraulics worker.
//
// # Plugins
//
// There are six kinds: [Source] brings records in, [Sink] takes them out,
// [Transform] changes one record at a time (or a batch, [BatchTransform]; or
// with a keyed store, [StatefulTransform]), [Predicate] decides whether a
// transform applies, [Converter] and [HeaderConverter] turn values into the
// bytes in Kafka and back. Each registers a constructor from its package's
// init function; a worker contains the plugins its main package imports.
//
// A plugin describes itself with [Info] and its configuration with a
// [ConfigDef], which is the single truth for parsing, validation, the REST API
// and the generated reference.
//
// # Who calls, and from where
//
// The runtime makes one instance per task (transforms, predicates and
// converters: one per place in a task's configuration) and calls it from one
// goroutine at a time. Start, Configure and Open come first, Stop and Close
// last, and Stop is safe twice and without Start. Poll, Put and Apply may
// block, but return soon after their context is cancelled.
//
// A plugin does not retry, count, commit or log per record: the runtime does.
// It says with the kind of its error what the runtime may do: [Retriable],
// [Data] or [Fatal]. Optional interfaces, such as [Monitor] and [PreCommitter],
// and [Context] give it a say in its tasks and in what is committed.
//
// # Who owns the memory
//
// A [Record] is a value. What it refers to (Struct, Schema, slices, maps,
// Headers) belongs to whoever made it until it is handed over, and is not
// changed after that by anyone: a transform that changes a field makes a new
// Struct. The receiver may keep what it was handed.
//
// # The invariants
//
// The runtime keeps five promises, cited in the code where they are enforced:
//
//  1. A source offset is committed only when every earlier record of its source
//     partition is acknowledged by Kafka, dropped by a transform, or tolerated.
//  2. A sink offset is committed only after the sink has durably taken every
//     record before it.
//  3. A record is delivered, dead-lettered or counted as dropped: never
//     silently gone; not on error, shutdown, rebalance or kill -9.
//  4. Order holds within a source partition and within a Kafka partition.
//  5. Data that does not fit its schema is an error, never silently coerced;
//     a record handed over is not changed by the one who handed it.
package connector
