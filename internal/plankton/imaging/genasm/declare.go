package main

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/asm"
)

// others are the functions beside the butterflies.
var others = []struct{ name, args string }{
	{"Chirp", "stageArgs"}, {"ConjugateChirp", "stageArgs"}, {"Filter", "filterArgs"}, {"Transpose", "transposeArgs"},
	{"Energy", "energyArgs"}, {"Powers", "powerArgs"}, {"Between", "betweenArgs"}, {"Strip", "stripArgs"},
}

// declarations is the Go side: the functions' signatures, and a table per set.
func declarations() []byte {
	out := asm.NewDeclarations("amd64", "imaging")
	for _, set := range sets {
		for _, last := range []bool{false, true} {
			for _, r := range append([]int{0}, radices...) {
				out.Function(set.Name+stageName(r, last), "stageArgs")
			}
		}
		for _, f := range others {
			out.Function(set.Name+f.name, f.args)
		}

		fmt.Fprintf(out, "\nvar %s = kernels{\n\tname: %q, lanes: %d,\n", set.Name, set.Name, set.Lanes)
		for i, last := range []bool{false, true} {
			fmt.Fprintf(out, "\t%s: butterflies{\n", []string{"stages", "lasts"}[i])
			for _, r := range append([]int{0}, radices...) {
				fmt.Fprintf(out, "\t\t%d: %s%s,\n", r, set.Name, stageName(r, last))
			}
			fmt.Fprintf(out, "\t},\n")
		}
		for _, f := range others {
			fmt.Fprintf(out, "\t%s: %s%s,\n", strings.ToLower(f.name[:1])+f.name[1:], set.Name, f.name)
		}
		fmt.Fprintf(out, "}\n")
	}
	return out.Source()
}
