// Package file reads lines from a file into Kafka and writes records to a file
// as lines: Kafka Connect's FileStream connectors, with their keys and offsets.
//
// The source follows its file by name, as tail -F does. Where the file was
// truncated or written anew, or another one has taken its place, it says so and
// reads what is there now from its start; lines that it gave before and that are
// still in the file come again. Lines of a former file that nobody had read when
// the worker stopped are not looked for.
//
// An offset is Kafka Connect's `position`, and beside it what tells after a
// restart that the file is still the same up to there: `inode` and `fingerprint`.
// Kafka Connect ignores both, and its own offsets are understood.
package file
