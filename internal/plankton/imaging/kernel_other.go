//go:build !amd64

package imaging

// kernelSets are the kernels that this processor runs, the best last.
func kernelSets() []*kernels { return []*kernels{&portable} }
