// Package mutations proves that the tests hold what is promised: for each
// mistake that mutations.txt lists against DESIGN.md, and clauses.txt against
// docs/kafka-connect.md, docs/postgres.md and docs/rest.md, the test that it names must fail.
// make mutations tries them all; every run of the tests makes sure that the lists still fit the code.
package mutations
