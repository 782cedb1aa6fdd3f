// Package rest is Kafka Connect's REST API over a herder: the same paths,
// statuses, fields and, where they are Kafka Connect's own words, the same
// error texts, so that existing clients work unchanged. Its tests replay
// recorded answers of a Java worker. What is ours beside it: a stream is of
// type sink with a field kind, a connector that a file manages has a field
// managed_by, a task that will start again by itself has a field restarts,
// status?progress=true adds what each task has done, a task that gets nowhere has
// a field stalled with what it waits for, which /health lists, a connector whose
// tasks are in another state than itself has a field tasks_state with the worst of
// theirs, /openapi.json describes the API, and /metrics is there for Prometheus.
//
// Nothing of it is promised to those outside the module.
package rest
