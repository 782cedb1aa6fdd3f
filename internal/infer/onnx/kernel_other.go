//go:build !amd64 && !arm64

package onnx

// kernelSets are the kernels that this processor runs, the best last.
func kernelSets() []*kernels { return []*kernels{&portable} }
