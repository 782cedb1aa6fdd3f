// Package cluster is how workers share connectors and tasks, by the group
// protocol of Kafka Connect: workers written in Java may be in the same group.
//
// wire.go has the bytes that workers exchange; eager.go and incremental.go what
// a leader makes of them, without I/O and clocks of their own; group.go runs a
// [kafka.Member] with these for one worker.
//
// # Two steps
//
// A part never runs twice because it moves in two rebalances. In the first, the
// leader takes it from the worker that has it; that worker stops it and joins
// again, which is the second, in which it is free and is given to another one.
// All else runs on meanwhile. The eager version stops everything first instead.
//
// # Goroutines and locks
//
// Run is its caller's goroutine. It is the only one that calls the Runner. The
// member's calls for metadata and plans; a Group's mu guards what both use, and
// nothing is called or sent under it but the Config's Snapshot.
package cluster
