// Package debezium has the transform that sinks of Debezium's change events
// have before them: it takes the row out of its envelope. Keys and behaviour
// are those of Debezium 3.
package debezium
