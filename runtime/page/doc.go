// Package page serves a web page that shows what a worker does: connectors,
// tasks, rates of now and of the last hour, lag and the last error in plain words,
// the flow through topics, what was logged, the newest records of streams and sources
// with their pictures, topics, and dead letters. It asks the REST API for changes of
// connectors, replays letters, previews configurations, and writes those of files
// where the worker lets it.
//
// A browser follows /events, a stream of what changes (events.go), or asks /state
// from time to time; /others has what tasks at other workers do (elsewhere.go). The page
// takes samples of rates while it is started, of which rates.go tells.
//
// Nothing of it is promised to those outside the module.
package page
