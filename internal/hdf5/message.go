package hdf5

import (
	"math/bits"
	"slices"
)

// message is a part of an object's header.
type message struct {
	kind byte
	data []byte
}

// The kinds of messages, by the numbers of the specification.
const (
	dataspaceMessage = 0x01
	linkInfoMessage  = 0x02
	datatypeMessage  = 0x03
	fillMessage      = 0x05
	linkMessage      = 0x06
	layoutMessage    = 0x08
	groupInfoMessage = 0x0a
	filterMessage    = 0x0b
	attributeMessage = 0x0c
)

// Numbers within messages.
const (
	contiguous          = 1 // layouts
	chunked             = 2
	filteredSingleChunk = 2 // flag of a layout
	singleChunk         = 1 // index of chunks
	deflateFilter       = 1
	deflateLevel        = 6
)

// datatype is the type of elements.
type datatype struct {
	encoded []byte
	size    int
}

// floatType is IEEE 754's of 32 bits.
var floatType = datatype{le(byte(0x11), byte(0x20), byte(31), byte(0), uint32(4),
	uint16(0), uint16(32), byte(23), byte(8), byte(0), byte(23), uint32(127)), 4}

// unsignedType is an integer of so many bytes.
func unsignedType(size int) datatype {
	return datatype{le(byte(0x10), byte(0), byte(0), byte(0), uint32(size), uint16(0), uint16(8*size)), size}
}

// textType is a text of any length in UTF-8: textSize bytes that lead to the heap.
var textType = le(byte(0x19), byte(1), byte(1), byte(0), uint32(textSize), unsignedType(1).encoded)

const textSize = 16

// dataspace gives the shape of a dataset; without dimensions it has no elements.
func dataspace(dims []int) []byte {
	const simple, null = 1, 2
	if len(dims) == 0 {
		return []byte{2, 0, 0, null}
	}
	space := le(byte(2), byte(len(dims)), byte(0), byte(simple))
	for _, n := range dims {
		space = append(space, le(uint64(n))...)
	}
	return space
}

// chunkDims gives the shape of a chunk, the size of an element last, in as few bytes for each number as the largest needs.
func chunkDims(dims []int) []byte {
	width := (bits.Len(uint(slices.Max(dims))) + 7) / 8
	data := []byte{byte(len(dims)), byte(width)}
	for _, n := range dims {
		data = append(data, le(uint64(n))[:width]...)
	}
	return data
}
