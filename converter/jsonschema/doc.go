// Package jsonschema converts values to and from JSON with a JSON Schema in a schema registry, in the wire format of
// Confluent's serializers: a zero byte, the schema's id as four bytes, and the value as JSON.
//
// A record is read with the very schema that it was written with, by a plan that is compiled once for each schema. What
// JSON Schema cannot say of a Connect schema, such as the order of fields and the sizes of numbers, is in its keywords
// connect.*, as in Confluent's converter.
package jsonschema
