// Package classify tells what is on an image, by a convolutional network: an
// ONNX file that runs in this process, or a model behind TensorFlow Serving,
// KServe, Triton or another server of the Open Inference Protocol (package
// internal/infer/serving). See package internal/infer/model for the manifest of a model
// and for what stands in place of it.
//
// It adds four fields to a struct or map: the class, its probability, which
// model and version said so, and when. Name, version and digest of the model,
// the digest of how images are prepared and the probabilities of all classes
// are there for the asking, as fields or headers. A class below its threshold
// is unclassified; several models make up an ensemble.
//
// With swap.check.ms a model is replaced while it is in use: the new one is
// loaded beside the old one, compared with it on canary images, and takes over
// between two batches. A record is classified by one model; the old one goes on
// where the new one fails, on the canary images or with its first batch.
//
// A record that fails does not fail its
// batch: an image that cannot be read is an error of its record, a server that
// is away is retriable.
package classify
