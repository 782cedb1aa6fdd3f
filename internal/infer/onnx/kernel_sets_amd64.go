package onnx

import "golang.org/x/sys/cpu"

// kernelSets are the kernels that this processor runs, the best last.
func kernelSets() []*kernels { return processorSets }

var processorSets = func() []*kernels {
	sets := []*kernels{&portable}
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA {
		sets = append(sets, avx2.kernels("avx2"))
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
			sets = append(sets, avx512.kernels("avx512"))
			if x.HasAVX512VNNI {
				sets = append(sets, avx512.kernels("avx512vnni"))
				sets[len(sets)-1].ints = vnni.kernels()
			}
		}
	}
	return sets
}()

// imageMean is the mean of each channel over an image, for both sets. It is
// called by name, so that its arguments stay on the stack.
func imageMean(r *rowArgs) { avx2GlobalMean(r) }
