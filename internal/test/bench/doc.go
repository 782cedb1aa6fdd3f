// Package bench measures the flow on embedded servers: images per second, and
// the share of each stage of a journey as the runtime itself counts them; the
// CPU time of a source in a process of its own; what a record costs between a
// file and a topic; and the parts of the image
// analysis alone; the whole of it and the ONNX engine beside Python's where
// PYTHON names a Python that has what they need. `make bench` runs it; `make
// bench-data` measures how records reach a table of PostgreSQL and a web service. The
// command connect, of `make bench-connect` and `make bench-data`, measures beside Java's
// Kafka Connect, and of `make bench-many` what many idle connectors take.
//
// A stage's time is the time of its calls. With one task, and one thread of the
// classifier, that is the time of one core.
package bench
