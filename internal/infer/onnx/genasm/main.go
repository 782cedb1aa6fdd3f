// Command genasm writes the assembly of the ONNX engine's kernels for amd64 and
// arm64. `go generate ./internal/infer/onnx` runs it; a test holds its output to the
// files in the tree.
//
// A kernel exists once per instruction set, made by the same code: the order of
// operations for one output is the same, and so are the bits. That of arm64
// (neon*.go) has its own code and follows the same order.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: genasm FOLDER")
		os.Exit(2)
	}
	for name, data := range files() {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), data, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// files is all that genasm writes.
func files() map[string][]byte {
	return map[string][]byte{
		"kernel_amd64.s": generate(), "kernel_amd64_decl.go": declarations("amd64", sets...),
		"kernel_arm64.s": generateNEON(), "kernel_arm64_decl.go": declarations("arm64", neonSet),
	}
}

// isa is an instruction set: how wide a vector is, and what a tile may hold.
type isa struct {
	name   string
	reg    string // letter of the vector registers
	lanes  int
	tile   int // pixels of the largest tile of the matrix product
	dwTile int // pixels of a depthwise tile
	opmask bool
	rounds bool // has a function that rounds as a quantised model does
}

var sets = []isa{
	{name: "avx2", reg: "Y", lanes: 8, tile: 6, dwTile: 6, rounds: true},
	{name: "avx512", reg: "Z", lanes: 16, tile: 14, dwTile: 7, opmask: true, rounds: true},
}

// writer emits one function at a time; labels are made unique by the function.
type writer struct {
	bytes.Buffer
	isa
	label int
}

func (w *writer) op(format string, args ...any) { fmt.Fprintf(w, "\t"+format+"\n", args...) }

func (w *writer) mark(label string) { fmt.Fprintf(w, "%s:\n", label) }

// fresh gives a label that this function has not used.
func (w *writer) fresh(name string) string {
	w.label++
	return fmt.Sprintf("%s%d", name, w.label)
}

// text begins a function.
func (w *writer) text(name, args, doc string) {
	w.label = 0
	fmt.Fprintf(w, "\n// func %s(p *%s)\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, args, doc, name)
}

func (w *writer) function(name, args, doc string) {
	w.text(name, args, doc)
	w.op("MOVQ p+0(FP), DI")
}

func (w *writer) end() {
	w.op("VZEROUPPER")
	w.op("RET")
}

// v names a vector register.
func (w *writer) v(i int) string { return fmt.Sprintf("%s%d", w.reg, i) }

// size is a vector in bytes.
func (w *writer) size() int { return 4 * w.lanes }

// top is the first register above the accumulators of the largest tile.
func (w *writer) top() int { return 2 * w.tile }

// pixel is the address of the i-th pixel where bases hold every fifth, s the
// distance and s3 three times that.
func pixel(i, disp int, bases []string, s, s3 string) string {
	b := bases[i/5]
	return fmt.Sprintf("%d(%s)%s", disp, b, []string{"", "(" + s + "*1)", "(" + s + "*2)", "(" + s3 + "*1)", "(" + s + "*4)"}[i%5])
}

// setMasks makes the masks of nv vectors for the n in AX: opmasks from K1 on,
// or vector registers from first on. It spoils CX.
func (w *writer) setMasks(nv, first int) {
	if w.opmask {
		w.op("MOVQ AX, CX")
		w.op("MOVQ $1, AX")
		w.op("SHLQ CX, AX")
		w.op("DECQ AX")
		for i := range nv {
			w.op("KMOVW AX, K%d", i+1)
			if i+1 < nv {
				w.op("SHRQ $%d, AX", w.lanes)
			}
		}
		return
	}
	w.op("LEAQ tails<>+%d(SB), CX", 4*16)
	w.op("SHLQ $2, AX")
	w.op("SUBQ AX, CX")
	for i := range nv {
		w.op("VMOVUPS %d(CX), %s", i*w.size(), w.v(first+i))
	}
}

// mask says which lanes of a vector exist; the zero value says all.
type mask struct {
	on     bool
	opmask int // AVX-512
	reg    int // AVX2
}

func (w *writer) load(addr string, dst int, m mask) {
	switch {
	case !m.on:
		w.op("VMOVUPS %s, %s", addr, w.v(dst))
	case w.opmask:
		w.op("VMOVUPS.Z %s, K%d, %s", addr, m.opmask, w.v(dst))
	default:
		w.op("VMASKMOVPS %s, %s, %s", addr, w.v(m.reg), w.v(dst))
	}
}

func (w *writer) store(src int, addr string, m mask) {
	switch {
	case !m.on:
		w.op("VMOVUPS %s, %s", w.v(src), addr)
	case w.opmask:
		w.op("VMOVUPS %s, K%d, %s", w.v(src), m.opmask, addr)
	default:
		w.op("VMASKMOVPS %s, %s, %s", w.v(src), w.v(m.reg), addr)
	}
}

// clamp keeps NaN: an unordered MAX or MIN gives the second source, which is
// the first operand here.
func (w *writer) clamp(x, lo, hi int) {
	w.op("VMAXPS %s, %s, %s", w.v(x), w.v(lo), w.v(x))
	w.op("VMINPS %s, %s, %s", w.v(x), w.v(hi), w.v(x))
}

// channels walks the c channels of a pixel: as long as there are so many,
// bodies for nv vectors, then for one, then for part of one. R12 counts what is
// left and R13 is the offset in bytes. AVX2's mask is in register 15.
func (w *writer) channels(c string, nv int, body func(nv int, m mask)) {
	w.walk(c, nv, 4, body)
}

// walk is channels with an offset that counts so many bytes per channel.
func (w *writer) walk(c string, nv, bytes int, body func(nv int, m mask)) {
	rest, end := w.fresh("rest"), w.fresh("end")
	w.op("MOVQ %s, R12", c)
	w.op("XORQ R13, R13")
	widths := []int{nv, 1}
	if nv == 1 {
		widths = widths[:1]
	}
	for _, width := range widths {
		loop, next := w.fresh("loop"), w.fresh("next")
		w.mark(loop)
		w.op("CMPQ R12, $%d", width*w.lanes)
		w.op("JLT %s", next)
		body(width, mask{})
		w.op("SUBQ $%d, R12", width*w.lanes)
		w.op("ADDQ $%d, R13", width*w.lanes*bytes)
		w.op("JMP %s", loop)
		w.mark(next)
	}
	w.mark(rest)
	w.op("TESTQ R12, R12")
	w.op("JZ %s", end)
	w.op("MOVQ R12, AX")
	w.setMasks(1, 15)
	body(1, mask{on: true, opmask: 1, reg: 15})
	w.mark(end)
}

func generate() []byte {
	var out bytes.Buffer
	out.WriteString("// Code generated by genasm; DO NOT EDIT.\n\n//go:build amd64\n\n#include \"textflag.h\"\n#include \"go_asm.h\"\n")
	tables(&out)
	for _, set := range sets {
		w := &writer{isa: set}
		for nv := 1; nv <= 2; nv++ {
			for m := 1; m <= set.tile; m++ {
				w.panelTile(m, nv)
			}
		}
		for m := 1; m <= set.dwTile; m++ {
			w.depthwiseTile(m)
		}
		w.elementwise()
		w.pools()
		out.Write(w.Bytes())
	}
	w := &writer{isa: vnni}
	w.integers()
	out.Write(w.Bytes())
	return out.Bytes()
}
