// Package classify tells what is on an image, by a convolutional network: an
// ONNX file that runs in this process, or a model behind TensorFlow Serving's
// REST protocol. See package internal/model for the manifest of a model and
// for what stands in place of it.
//
// It adds four fields to a struct or map: the class, its probability, which
// model and version said so, and when. A record that fails does not fail its
// batch: an image that cannot be read is an error of its record, a server that
// is away is retriable.
package classify
