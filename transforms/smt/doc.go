// Package smt has the single message transforms that every Kafka Connect worker
// has, with Kafka's names, keys, messages and behaviour. A transform that works
// on keys or values is two plugins: its Java class with $Key or $Value, or the
// short name with .key or .value (the short name alone is the value's).
package smt
