// Package herder keeps the connectors of a worker: what each is configured to
// do, whether it is to run, pause or be stopped, and its tasks. It starts
// failed tasks again by their restart policy.
//
// The [Herder] is for one worker by itself. A connector that a file describes
// is managed by that file; one made over the REST API is kept, with the states
// of all connectors, in a file beside the offsets. Each connector has one
// goroutine, which alone starts and stops its tasks; requests change what is
// wanted and wake it.
//
// Nothing of it is promised to those outside the module.
package herder
