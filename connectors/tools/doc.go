// Package tools has the connectors that Kafka Connect brings for tests of a
// worker: sources and a sink that print what they have sent and seen
// (verifiable), ones that fail after a while (mock), and a source of records
// with a schema that changes (schema). Names of keys, records, offsets and lines
// are those of org.apache.kafka.connect.tools.
package tools
