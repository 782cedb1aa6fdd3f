// Package mutations proves that the tests hold the promises of DESIGN.md: for
// each mistake that mutations.txt lists the test that it names must fail. make
// mutations tries them all; every run of the tests makes sure that the list
// still fits the code.
package mutations
