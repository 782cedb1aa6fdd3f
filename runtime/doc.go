// Package runtime runs the tasks of connectors: it moves records between
// plugins and Kafka and keeps the promises of the connector package while doing
// so.
//
// journey.go lists the stages of a record's path, in order, for each of the
// three kinds of connectors. tolerance.go alone decides what a failure means,
// inflight.go alone which source offsets may be committed. Loops and commits
// are in source_task.go, sink_task.go and stream_task.go.
package runtime
