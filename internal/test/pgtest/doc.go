// Package pgtest gives tests a real PostgreSQL: the server that
// HYDRAULICS_POSTGRES_URL names, or one of its own from the binaries on the
// system, which ends with the test process. Without either a test is skipped.
package pgtest
