// Package onnx runs image classifiers from ONNX files: convolutional networks and transformers
// as Keras (through tf2onnx) and PyTorch export them, in float32, in pure Go.
// Numbers of 16 bits are widened, and of a batch that the file fixes one image is
// computed.
// Quantised models (QDQ) run in integers where the processor has the instructions
// for it, else in float32 too, rounded where the file says.
//
// A model goes through four steps:
//
//   - the loader reads the file within [Limits] and refuses what it does not
//     understand by name (wire.go, proto.go);
//   - lowering gives every value one physical layout, height x width x
//     channels, and keeps the file's axes as a tag, so that no Transpose runs
//     (lower*.go); what is not done to an image, as attention, is done to a dense
//     tensor of any number of axes (lower_tensor.go), and what is known at load
//     is computed then; the rewrite folds batch norms and constants into weights
//     and fuses activations and residual additions (rewrite.go); then it settles
//     which values of a quantised model are bytes (integers.go);
//   - the plan, made once and shared, gives each value its place in an arena,
//     writes the inputs of a Concat in place, puts zero borders round what is
//     padded and packs the weights (plan*.go);
//   - the kernels do the arithmetic (kernel*.go). Convolutions and matrix
//     products are one implicit matrix product over a list of offsets.
//
// A [Session] owns an arena and runs one image at a time in one goroutine
// without allocating. The fast arrangement on a CPU is a session per core.
//
// Arithmetic is written float32(x*y)+z so that it is not fused on processors
// that could, and the scores are the same on every platform.
package onnx
