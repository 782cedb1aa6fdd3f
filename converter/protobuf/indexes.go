package protobuf

import (
	"encoding/binary"
	"fmt"
)

// maxIndexes bounds how deep messages may be nested in each other's definitions.
const maxIndexes = 64

// splitIndexes gives the indexes of the message that a value is, none for the
// first one of its schema, and the message. Numbers are zigzag varints; the
// first says how many follow, and 0 stands for [0].
func splitIndexes(data []byte) (indexes []int, message []byte, err error) {
	n, size := binary.Varint(data)
	if size <= 0 {
		return nil, nil, fmt.Errorf("there are no message indexes behind the schema's id")
	}
	data = data[size:]
	if n < 0 || n > maxIndexes {
		return nil, nil, fmt.Errorf("it has %d message indexes: this was not written by a serializer of Protobuf", n)
	}
	for range n {
		index, size := binary.Varint(data)
		if size <= 0 || index < 0 || index > 1<<30 {
			return nil, nil, fmt.Errorf("its message indexes end early or are none")
		}
		indexes, data = append(indexes, int(index)), data[size:]
	}
	return indexes, data, nil
}

// appendIndexes writes what splitIndexes reads.
func appendIndexes(out []byte, indexes []int) []byte {
	if len(indexes) == 1 && indexes[0] == 0 {
		return append(out, 0)
	}
	out = binary.AppendVarint(out, int64(len(indexes)))
	for _, i := range indexes {
		out = binary.AppendVarint(out, int64(i))
	}
	return out
}
