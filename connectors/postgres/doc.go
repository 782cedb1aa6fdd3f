// Package postgres writes records to tables of PostgreSQL: the keys and
// meaning of Kafka Connect's JDBC sink, with many rows per statement.
//
// # What is written
//
// The fields of a record's value, and by pk.mode of its key or its place in
// Kafka, are the columns of one row. Values are sent as text that the server
// reads as the live column's type, so text goes into uuid, json, inet, enum or
// timestamptz columns without a cast or a setting (stringtype=unspecified of
// pgjdbc is always on). A float32 goes into a double precision column as the
// same number, widened. A timestamp goes into a timestamp column as the time of
// day in db.timezone, into a timestamptz column as the instant. Numbers are
// refused where PostgreSQL would read something else into their digits: in
// boolean, date and interval columns. Maps and structs go into json and jsonb
// columns.
//
// # Delivery
//
// One Put is one transaction. It sends one statement per table, set of columns
// and batch.size rows, all at once. Rows of one key are reduced to the last
// before, and sorted by key, so that tasks lock rows in one order. Insert,
// update and delete of one key keep their order.
//
// A row that the server refuses is found by halving the statement; the others
// are committed, then the refused record is reported. Errors of the
// environment are retriable and never touch a record. After a commit whose
// answer was lost the batch is put again: upsert, update, delete and insert
// with pk.mode=kafka change nothing then (the last fails on the repeated key:
// use upsert), insert with pk.mode=none repeats the rows.
package postgres
