// Package postgrest answers HTTP queries on the tables and views of a
// PostgreSQL schema with the API of PostgREST (https://postgrest.org), as far as
// reading goes: its clients for Python and JavaScript work unmodified.
//
// The path names a table; query parameters filter, select, order and page:
//
//	GET /ifcb_sample_stats?hab=is.true&prob=gte.0.9&select=time,name&order=time.desc&limit=10
//
// The grammar (parse.go, filter.go, columns.go) is ours. What it reads becomes
// SQL (sql.go) in which every name is quoted and every value a parameter.
// PostgreSQL itself writes the JSON and checks types and privileges: each query
// runs in a read-only transaction as the anonymous role.
//
// Answers are streamed (stream.go). /table.csv is the table as CSV, whatever the
// Accept header says.
//
// Not offered: writes, functions under /rpc, embedded resources, tokens.
package postgrest
