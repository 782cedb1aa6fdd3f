// Package cli is the command line of a worker. A program that is a worker of
// one's own is its Main and a list of imports:
//
//	package main
//
//	import (
//		_ "example.org/my/instrument"
//		_ "github.com/axiom-data-science/hydraulics/converter/all"
//
//		"github.com/axiom-data-science/hydraulics/runtime/cli"
//	)
//
//	func main() { cli.Main("my-worker") }
//
// Commands of one's own that run flows start a [Worker].
package cli
