// Package json converts values to and from JSON as Kafka Connect's
// JsonConverter writes it: plain, or in an envelope with the schema.
//
// It writes what the Java converter writes, and reads what it reads. A value of
// another JSON type than its schema says is 0, false or null, and of a number that
// does not fit its type the lower bits count. The Java one does so without a word;
// this one warns, and with the key strict such a value is an error of the record.
package json
