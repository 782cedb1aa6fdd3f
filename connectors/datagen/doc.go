// Package datagen is a source of made-up records: for tries, tests and
// benchmarks without a source system.
package datagen
