package main

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/asm"
)

// rowNames are the functions on pixels of each set.
var rowNames = []string{"Affine", "Add", "Sub", "Mul", "Clamp", "HardSigmoid", "HardSwish", "Sigmoid", "Silu", "MaxPool", "MeanPool"}

// declarations is the Go side: the functions' signatures, and a table per set.
func declarations(arch string, sets ...isa) []byte {
	out := asm.NewDeclarations(arch, "onnx")
	for _, set := range sets {
		tiles := func(nv int) (list []string) {
			for m := 1; m <= set.tile; m++ {
				list = append(list, fmt.Sprintf("%sTile%dx%d", set.Name, m, nv))
			}
			return list
		}
		var filters []string
		for m := 1; m <= set.dwTile; m++ {
			filters = append(filters, fmt.Sprintf("%sDepthwise%d", set.Name, m))
		}
		for _, group := range [][]string{tiles(1), tiles(2), filters} {
			for _, f := range group {
				out.Function(f, "tileArgs")
			}
		}
		rows := rowNames
		if !set.Opmask {
			rows = append(rows[:len(rows):len(rows)], "GlobalMean")
		}
		acts := []string{"Clamp", "Sigmoid", "Silu", "HardSigmoid", "HardSwish"}
		if set.rounds {
			rows, acts = append(rows[:len(rows):len(rows)], "Quantised"), append(acts, "Quantised")
		}
		if set.curves {
			rows, acts = append(rows[:len(rows):len(rows)], "Erf", "Gelu", "GeluTanh", "Exp", "Norm"), append(acts, "Erf", "Gelu", "GeluTanh")
		}
		for _, f := range rows {
			out.Function(set.Name+f, "rowArgs")
		}
		list := func(names []string) string { return "[]func(*tileArgs){" + strings.Join(names, ", ") + "}" }
		fmt.Fprintf(out, "\nvar %s = &simd{\n\tlanes: %d,\n\ttiles: [2][]func(*tileArgs){\n", set.Name, set.Lanes)
		for nv := 1; nv <= 2; nv++ {
			fmt.Fprintf(out, "\t\t{%s},\n", strings.Join(tiles(nv), ", "))
		}
		fmt.Fprintf(out, "\t},\n\tfilters: %s,\n", list(filters))
		for _, f := range []string{"Affine", "Add", "Sub", "Mul"} {
			fmt.Fprintf(out, "\t%s: %s%s,\n", strings.ToLower(f), set.Name, f)
		}
		fmt.Fprintf(out, "\tacts: map[actKind]func(*rowArgs){\n")
		for _, f := range acts {
			fmt.Fprintf(out, "\t\tact%s: %s%s,\n", f, set.Name, f)
		}
		fmt.Fprintf(out, "\t},\n\tmax: %sMaxPool,\n\tmean: %sMeanPool,\n", set.Name, set.Name)
		if set.curves {
			fmt.Fprintf(out, "\texp: %sExp,\n\tnorm: %sNorm,\n", set.Name, set.Name)
		}
		fmt.Fprintf(out, "}\n")
	}
	if arch == "amd64" {
		declareIntegers(out)
	}
	return out.Source()
}

func declareIntegers(out *asm.Declarations) {
	var tiles [2][]string
	var filters []string
	for m := 1; m <= vnni.tile; m++ {
		for nv := range tiles {
			tiles[nv] = append(tiles[nv], fmt.Sprintf("%sTile%dx%d", vnni.Name, m, nv+1))
		}
	}
	for m := 1; m <= vnni.dwTile; m++ {
		filters = append(filters, fmt.Sprintf("%sDepthwise%d", vnni.Name, m))
	}
	for _, group := range [][]string{tiles[0], tiles[1], filters} {
		for _, f := range group {
			out.Function(f, "intTileArgs")
		}
	}
	rows := []string{"FloatsToBytes", "Quantise", "BytesToBytes", "Requantise", "BytesToFloats", "Add"}
	for _, f := range rows {
		out.Function(vnni.Name+f, "scaleRowArgs")
	}
	list := func(names []string) string { return strings.Join(names, ", ") }
	fmt.Fprintf(out, "\nvar %s = &intSimd{\n\ttiles: [2][]func(*intTileArgs){\n\t\t{%s},\n\t\t{%s},\n\t},\n\tfilters: []func(*intTileArgs){%s},\n",
		vnni.Name, list(tiles[0]), list(tiles[1]), list(filters))
	for _, f := range rows {
		fmt.Fprintf(out, "\t%s%s: %s%s,\n", strings.ToLower(f[:1]), f[1:], vnni.Name, f)
	}
	fmt.Fprintf(out, "}\n")
}
