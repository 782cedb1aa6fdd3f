// Package avro converts between Avro's binary form and the values of package
// connector. A schema is compiled once into a plan: a tree of writers and one
// of readers that work on positional structs. Parsing and checking of schemas
// is twmb/avro's, which is the oracle of the tests too.
//
// It is strict. A value is written when the schema can hold exactly that value:
// an integer of another width that fits, a float32 as a double. The one rounding
// is that of a float64 into a field whose schema says float; beyond the float's
// range it is an error as well. An error names the field's path:
//
//	field images[2].prob: expected float, got string
//
// The mapping of schemas is that of Confluent's AvroData: properties
// connect.name, connect.version, connect.doc, connect.default and
// connect.parameters, a union with null for optional, an enum as a string, any
// other union as a struct with one optional field per branch.
package avro
