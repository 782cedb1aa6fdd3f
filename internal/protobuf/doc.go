// Package protobuf reads Protobuf schemas as a schema registry keeps them: the text of a .proto file, or the bytes of
// its descriptor in base64, with the files that it imports. It finds a message by the indexes that Confluent's
// serializers write before a value, and says what makes one schema unable to read what another has written.
package protobuf
