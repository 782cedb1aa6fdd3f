// Package serving talks to model servers about image classifiers, each in its
// best protocol:
//
//	protocol         transport  images travel as             model's version
//	tfserving        gRPC       float32, little-endian       each answer names it
//	tfserving        REST       JSON numbers, or PNG         requests name it
//	kserve-v1        REST       JSON numbers, or PNG         not told
//	open-inference   gRPC       float32, little-endian       answers name it, or requests
//	open-inference   REST       float32 behind a JSON head,  answers name it, or requests
//	                            or JSON numbers
//
// A [Client] knows one model of one server; it neither retries nor batches.
// Images are encoded once, by the caller, and every request refers to them: a
// request for several images, its halves, and a second attempt elsewhere share
// the bytes. Messages of gRPC are written and read by field numbers (protowire),
// since generated code would copy a tensor into each request.
//
// Errors carry their kind for the runtime: a server that is away, busy or hides
// behind a web page is retriable, a refused request is the record's fault, and
// anything that would be the same next time is fatal.
package serving
