// Package avro converts values to and from Avro in the wire format of
// Confluent's serializers: a zero byte, the schema's id in a schema registry as
// four bytes, and the value in Avro's binary form.
//
// A record is read with the very schema that it was written with, however the
// subject has evolved since. A record is written with the schema that its Connect
// schema maps to, or, with use.latest.version, field by field into the newest
// schema of its subject: fields that the schema lacks are left out, those that
// the record lacks take the schema's default.
package avro
