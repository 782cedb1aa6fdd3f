// Package bench has the benchmarks of whole flows, for `make bench`. It has no
// code of its own but tests.
package bench
