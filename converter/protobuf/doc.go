// Package protobuf converts values to and from Protobuf in the wire format of Confluent's serializers: a zero byte, the
// schema's id in a schema registry as four bytes, the indexes of the message in its schema, and the message.
//
// A record is read with the very schema that it was written with, straight into structs by a plan that is compiled once
// for each schema. A record is written with the schema that its Connect schema maps to as in Confluent's converter, or,
// with use.latest.version, field by field into the newest schema of its subject.
package protobuf
