package imaging

import "golang.org/x/sys/cpu"

//go:generate go run ./genasm .

// kernelSets are the kernels that this processor runs, the best last.
func kernelSets() []*kernels { return processorSets }

var processorSets = func() []*kernels {
	sets := []*kernels{&portable}
	x := &cpu.X86
	if x.HasAVX2 {
		sets = append(sets, &avx2)
		if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512VL {
			sets = append(sets, &avx512)
		}
	}
	return sets
}()
