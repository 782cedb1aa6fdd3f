// Package json converts values to and from JSON as Kafka Connect's
// JsonConverter writes it: plain, or in an envelope with the schema.
//
// It writes what the Java converter writes. Reading, it is strict where the Java
// one changes data without a word: a value of another JSON type than its schema
// says (Java reads 0, false or null), a number that does not fit its type (Java
// wraps or clips it) and an integer beyond 64 bits are errors of the record.
package json
