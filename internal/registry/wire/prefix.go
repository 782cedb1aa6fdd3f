package wire

import (
	"encoding/binary"
	"fmt"
)

// PrefixSize is how many bytes are before a value.
const PrefixSize = 5

const magic = 0

// Prefix gives the bytes before a value: a zero byte and the id of its schema.
func Prefix(id int) (p [PrefixSize]byte) {
	binary.BigEndian.PutUint32(p[1:], uint32(id))
	return p
}

// Split gives the id of a value's schema, and the value behind the prefix.
func Split(data []byte) (id int, value []byte, err error) {
	if len(data) < PrefixSize || data[0] != magic {
		return 0, nil, noPrefix(data)
	}
	return int(int32(binary.BigEndian.Uint32(data[1:]))), data[PrefixSize:], nil
}

// noPrefix says what is there in place of a prefix.
func noPrefix(data []byte) error {
	switch {
	case len(data) == 0:
		return fmt.Errorf("no bytes at all, expected a zero byte and a schema's id")
	case data[0] == magic:
		return fmt.Errorf("%d bytes, expected a zero byte and a schema's id in 5", len(data))
	case data[0] == '{' || data[0] == '[' || data[0] == '"':
		return fmt.Errorf("the first byte is %q, expected a zero byte and a schema's id: is this JSON? then the converter must be json", data[0])
	}
	return fmt.Errorf("the first byte is %#x, expected a zero byte and a schema's id: this was not written with a schema registry", data[0])
}
