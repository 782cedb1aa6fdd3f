package onnx

// kernelSets are the kernels that this processor runs, the best last. Each
// arm64 that Go runs on has NEON.
func kernelSets() []*kernels { return processorSets }

var processorSets = []*kernels{&portable, neon.kernels("neon")}

// imageMean is the mean of each channel over an image. It is called by name, so
// that its arguments stay on the stack.
func imageMean(r *rowArgs) { neonGlobalMean(r) }
