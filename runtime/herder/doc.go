// Package herder keeps the connectors of a worker, in three parts that a cluster
// runs in different places:
//
//   - what is wanted is in a store (package store): configurations of connectors
//     and tasks, whether each connector is to run, pause or be stopped, and
//     requests to start something again. Requests over the REST API are records
//     appended to it; the herder does what it hears from it.
//   - a splitter makes the tasks of one connector (splitter.go): it validates,
//     resolves references, asks the plugin, and appends the tasks to the store,
//     with references where the plugin was given what they stand for.
//   - a supervisor runs one task (supervisor.go): it starts, pauses and stops it,
//     and starts it again by the restart policy. Every start looks up anew what
//     references stand for.
//
// A connector that a file describes is managed by that file; one made over the
// REST API is the store's alone.
//
// Whether a worker is one of a cluster the herder does not know (cluster.go): its
// assignment says what of the connectors is this worker's to split and to run, its
// leader whether a request is for this worker to do, and its statuses have what the
// others say of theirs. A worker by itself runs and decides all.
//
// # Goroutines
//
// Each connector has one for its splitter, each task one for its supervisor;
// whatever changes wakes them (loop.go). Removing the connector or closing the
// herder ends them, and one more waits for them then. Those of new tasks wait
// until those of the earlier ones are through.
//
// # Locks
//
// From the outside in: a connector's altering, which keeps its tasks from being written
// and from starting while its offsets are changed; edits, held while a change that depends on what is wanted
// is appended; the store's, while it tells; mu, which guards what the goroutines
// have come to; the store's and the cluster's, to be read; a supervisor's, for its
// handle.
//
// Nothing of it is promised to those outside the module.
package herder
