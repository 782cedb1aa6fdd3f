// Package asm is what the generators of kernels share: it writes functions and their declarations for Go's assembler.
package asm

import (
	"bytes"
	"fmt"
)

// Set is an instruction set.
type Set struct {
	Name   string // what its functions' names begin with
	Reg    string // letter of the vector registers
	Lanes  int    // numbers in a vector
	Opmask bool   // has registers for masks
}

// V names a vector register.
func (s Set) V(i int) string { return fmt.Sprintf("%s%d", s.Reg, i) }

// Writer writes one function at a time; labels are made unique by the function.
type Writer struct {
	bytes.Buffer
	label int
}

// Op writes an instruction.
func (w *Writer) Op(format string, args ...any) { fmt.Fprintf(w, "\t"+format+"\n", args...) }

// Mark writes a label.
func (w *Writer) Mark(label string) { fmt.Fprintf(w, "%s:\n", label) }

// Fresh gives a label that this function has not used.
func (w *Writer) Fresh(name string) string {
	w.label++
	return fmt.Sprintf("%s%d", name, w.label)
}

// Text begins a function that takes a pointer to its arguments, and has so many bytes of the stack.
func (w *Writer) Text(name, args, doc string, stack int) {
	w.label = 0
	fmt.Fprintf(w, "\n// func %s(p *%s)\n// %s\nTEXT ·%s(SB), NOSPLIT, $%d-8\n", name, args, doc, name, stack)
}

// Function begins a function for amd64; DI points to its arguments.
func (w *Writer) Function(name, args, doc string, stack int) {
	w.Text(name, args, doc, stack)
	w.Op("MOVQ p+0(FP), DI")
}

// End ends a function for amd64.
func (w *Writer) End() {
	w.Op("VZEROUPPER")
	w.Op("RET")
}
