// Package wire is what converters that use a schema registry share, whatever the format of their values: the prefix
// that Confluent's serializers write before a value, the names of the subjects that schemas belong to, and the
// configuration keys for both.
package wire
