// Package file reads lines from a file into Kafka and writes records to a file
// as lines: Kafka Connect's FileStream connectors, with their keys and offsets.
package file
