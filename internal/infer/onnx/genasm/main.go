// Command genasm writes the assembly of the ONNX engine's kernels for amd64 and
// arm64. `go generate ./internal/infer/onnx` runs it; a test holds its output to the
// files in the tree.
//
// A kernel exists once per instruction set, made by the same code: the order of
// operations for one output is the same, and so are the bits. That of arm64
// (neon*.go) has its own code and follows the same order.
package main

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/internal/asm"
)

func main() { asm.Main(files()) }

// files is all that genasm writes.
func files() map[string][]byte {
	return map[string][]byte{
		"kernel_amd64.s": generate(), "kernel_amd64_decl.go": declarations("amd64", sets...),
		"kernel_arm64.s": generateNEON(), "kernel_arm64_decl.go": declarations("arm64", neonSet),
	}
}

// isa is an instruction set: how wide a vector is, and what a tile may hold.
type isa struct {
	asm.Set
	tile   int  // pixels of the largest tile of the matrix product
	dwTile int  // pixels of a depthwise tile
	rounds bool // has a function that rounds as a quantised model does
	curves bool // has the functions of transformers
}

var sets = []isa{
	{Set: asm.Set{Name: "avx2", Reg: "Y", Lanes: 8}, tile: 6, dwTile: 6, rounds: true, curves: true},
	{Set: asm.Set{Name: "avx512", Reg: "Z", Lanes: 16, Opmask: true}, tile: 14, dwTile: 7, rounds: true, curves: true},
}

// writer writes the functions of an instruction set.
type writer struct {
	asm.Writer
	isa
}

func (w *writer) function(name, args, doc string) { w.Function(name, args, doc, 0) }

// size is a vector in bytes.
func (w *writer) size() int { return 4 * w.Lanes }

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
	if w.Opmask {
		w.Op("MOVQ AX, CX")
		w.Op("MOVQ $1, AX")
		w.Op("SHLQ CX, AX")
		w.Op("DECQ AX")
		for i := range nv {
			w.Op("KMOVW AX, K%d", i+1)
			if i+1 < nv {
				w.Op("SHRQ $%d, AX", w.Lanes)
			}
		}
		return
	}
	w.Op("LEAQ tails<>+%d(SB), CX", 4*16)
	w.Op("SHLQ $2, AX")
	w.Op("SUBQ AX, CX")
	for i := range nv {
		w.Op("VMOVUPS %d(CX), %s", i*w.size(), w.V(first+i))
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
		w.Op("VMOVUPS %s, %s", addr, w.V(dst))
	case w.Opmask:
		w.Op("VMOVUPS.Z %s, K%d, %s", addr, m.opmask, w.V(dst))
	default:
		w.Op("VMASKMOVPS %s, %s, %s", addr, w.V(m.reg), w.V(dst))
	}
}

func (w *writer) store(src int, addr string, m mask) {
	switch {
	case !m.on:
		w.Op("VMOVUPS %s, %s", w.V(src), addr)
	case w.Opmask:
		w.Op("VMOVUPS %s, K%d, %s", w.V(src), m.opmask, addr)
	default:
		w.Op("VMASKMOVPS %s, %s, %s", w.V(src), w.V(m.reg), addr)
	}
}

// clamp keeps NaN: an unordered MAX or MIN gives the second source, which is
// the first operand here.
func (w *writer) clamp(x, lo, hi int) {
	w.Op("VMAXPS %s, %s, %s", w.V(x), w.V(lo), w.V(x))
	w.Op("VMINPS %s, %s, %s", w.V(x), w.V(hi), w.V(x))
}

// channels walks the c channels of a pixel: as long as there are so many,
// bodies for nv vectors, then for one, then for part of one. R12 counts what is
// left and R13 is the offset in bytes. AVX2's mask is in register 15.
func (w *writer) channels(c string, nv int, body func(nv int, m mask)) {
	w.walk(c, nv, 4, body)
}

// walk is channels with an offset that counts so many bytes per channel.
func (w *writer) walk(c string, nv, bytes int, body func(nv int, m mask)) {
	rest, end := w.Fresh("rest"), w.Fresh("end")
	w.Op("MOVQ %s, R12", c)
	w.Op("XORQ R13, R13")
	widths := []int{nv, 1}
	if nv == 1 {
		widths = widths[:1]
	}
	for _, width := range widths {
		loop, next := w.Fresh("loop"), w.Fresh("next")
		w.Mark(loop)
		w.Op("CMPQ R12, $%d", width*w.Lanes)
		w.Op("JLT %s", next)
		body(width, mask{})
		w.Op("SUBQ $%d, R12", width*w.Lanes)
		w.Op("ADDQ $%d, R13", width*w.Lanes*bytes)
		w.Op("JMP %s", loop)
		w.Mark(next)
	}
	w.Mark(rest)
	w.Op("TESTQ R12, R12")
	w.Op("JZ %s", end)
	w.Op("MOVQ R12, AX")
	w.setMasks(1, 15)
	body(1, mask{on: true, opmask: 1, reg: 15})
	w.Mark(end)
}

func generate() []byte {
	out := asm.Assembly("amd64")
	tables(out)
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
