// Package runtime runs the tasks of connectors: it moves records between
// plugins and Kafka and keeps the promises of the connector package while doing
// so.
//
// journey.go lists the stages of a record's path, in order, for each of the
// three kinds of connectors. tolerance.go alone decides what a failure means,
// inflight.go alone which source offsets may be committed. Loops and commits
// are in source_task.go and source_commit.go, sink_task.go and sink_commit.go,
// stream_task.go and unit.go; intake.go is what sinks and streams have in common.
//
// Nothing of it is promised to those outside the module: a worker of one's own
// is made with runtime/cli.
//
// Files name what is in files below them, from the ground: place, tap, livetap, metrics,
// spec; inflight, stats, topics, clients; tolerance; journey with its sampling; outbox, store;
// settings; task; intake with its job, letters, parts with its headers and
// transform; runner, join; the tasks of the three kinds, a stream's with its unit;
// worker. There is one exception: an item of a journey carries what stores are to
// write.
//
// # Goroutines
//
// Each task has one, which Worker.StartTask starts and Task.Stop, an error or
// the end of a source ends. It alone changes the task's state, uses the member
// of the consumer group and commits. What may take long, it gives to goroutines
// that it waits for: batches, puts, flushes and restores of sinks and streams
// (job.go), polls, deliveries and pauses of sources (sourceTask.run). A sink's put
// goes on while the next batch is converted; else there is one at a time. So the
// methods of a plugin are called from one goroutine at a time. Those of the
// producer call back acknowledgements, which touch nothing but the outbox, a unit's
// sending, the in-flight queue, the counters and sourceTask's lists. When a task's
// life ends, another one abandons the group in place of a plugin that hangs (join).
//
// # Locks
//
// Worker, Task, tap, liveTaps, LiveTap, metrics and each metric, errorStats, inflight, sourceTask,
// reporter, outbox and topics have a mutex each, and none is taken while another
// one is held. Only that of topics is held during I/O, while a topic is created.
package runtime
