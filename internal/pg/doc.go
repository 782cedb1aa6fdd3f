// Package pg is what the PostgreSQL sink and the read API share: addresses
// (JDBC and postgres URLs), what an SQLSTATE means for a record or a task,
// quoted names, tables as they are in the server, migrations.
//
// The client is pgx (github.com/jackc/pgx, MIT): the kept pure-Go driver, with
// pipelining and a pool that replaces broken connections.
package pg
