// Package migrations keeps a database at a version: files with statements, by number,
// each run in a transaction of its own and noted in a table, by goose.
//
// A folder has NNN_name.sql to reach a version, and down/NNN_name.sql to leave it
// again, whose first line names the tables that go with it: "-- drops: a, b". The
// former can be run again, which is how a database of before there were versions is
// adopted: what is there stays.
package migrations
