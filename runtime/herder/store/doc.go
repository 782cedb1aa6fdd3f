// Package store keeps what is wanted of a worker's connectors: their
// configurations, those of their tasks, and whether they are to run, pause or
// be stopped.
//
// Every change is a [Record], one of those that Kafka Connect writes to its
// configuration topic ([Encode], [Decode]). A [State] applies them, by the
// rules of Kafka Connect: tasks count once their commit has come, and only
// where all of them are there. A [Store] brings records to a state and tells
// of them: [File] on disk, of a worker by itself; [Kafka], of a cluster of workers.
package store
