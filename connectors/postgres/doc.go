// Package postgres writes records to tables of PostgreSQL: the keys and
// meaning of Kafka Connect's JDBC sink, with many rows per statement.
//
// # What is written
//
// The fields of a record's value, and by pk.mode of its key or its place in
// Kafka, are the columns of one row. Booleans, integers, floats and bytes are sent
// in the binary form of the live column's type where every value of the field has
// one; all else as text that the server reads as that type, so text goes into
// uuid, json, inet, enum or timestamptz columns without a cast or a setting
// (stringtype=unspecified of pgjdbc is always on). A float32 goes into a double
// precision column as the same number, widened. A timestamp goes into a timestamp
// column as the time of day in db.timezone, into a timestamptz column as the
// instant. Numbers are refused where PostgreSQL would read something else into
// their digits: in boolean, date and interval columns. Maps and structs go into json and jsonb
// columns. Generated columns are left out; identity columns get the record's
// values (OVERRIDING SYSTEM VALUE).
//
// A value in Debezium's envelope is the row that it tells of: written, deleted, or
// gone with all others. Debezium's types of values become what they stand for.
//
// # Delivery
//
// One Put is one transaction, and one round trip: it sends one statement per
// table, set of columns and batch.size rows, all at once, up to the end that
// commits them. A statement takes an array per column. Rows of one key are reduced
// to the last before, and sorted by key, so that tasks lock rows in one order.
// Insert, update and delete of one key keep their order.
//
// What is known of a table is read anew, once per batch that it refuses, before
// anything is blamed: tables are altered under running sinks.
//
// A row that the server refuses is found by halving the statement, which costs at
// most 1 + 2 log2 n statements for one of n rows; the others are committed, then
// the refused record is reported. Which error is a row's is told by SQLSTATE alone, since texts are translated: 25006, 55P03, 55006 and the
// classes 08, 40, 53, 57, 58 are the environment's, retriable, and never touch a
// record; a missing table, column, schema or constraint for ON CONFLICT is the
// configuration's, and so is 42501 where the database says, asked, that the user
// lacks a privilege; all else is that row's, such as what a trigger, a policy or
// a view's check option refuses. A hundred refusals of a table's rows in a row
// with one SQLSTATE outside of the classes 22 and 23, and no row written, end the
// task.
//
// After a commit whose answer was lost the batch is put again: upsert, update,
// delete and insert with pk.mode=kafka change nothing then (the last fails on the
// repeated key: use upsert), insert with pk.mode=none repeats the rows. With
// offset.store=sink nothing is written twice in any mode: see offsets.go.
//
// With trim.sensitive.log errors tell no values: what a function of the database
// says in its own words is hidden whole.
package postgres
