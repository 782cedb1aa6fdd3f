package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Dataset is an array in the root group.
type Dataset struct {
	Name string // ASCII
	// Dims are the lengths of the dimensions. Without any the dataset is empty, as h5py's Empty, and only holds attributes.
	Dims []int
	// Data are the elements, rows first: a []float32, []uint16, []uint32 or []string.
	Data       any
	Attributes []Attribute
}

// Attribute is a text that belongs to a dataset.
type Attribute struct{ Name, Value string }

// undefined is the address of what is not there.
const undefined = math.MaxUint64

const superblockSize = 48

// Encode gives a file with these datasets.
func Encode(datasets []Dataset) ([]byte, error) {
	f := &file{data: make([]byte, superblockSize)}
	for i := range datasets {
		if err := f.gather(&datasets[i]); err != nil {
			return nil, fmt.Errorf("hdf5: dataset %s: %w", datasets[i].Name, err)
		}
	}
	f.writeHeap()
	root := []message{
		{linkInfoMessage, le(byte(0), byte(0), uint64(undefined), uint64(undefined))},
		{groupInfoMessage, []byte{0, 0}},
	}
	for i := range datasets {
		d := &datasets[i]
		address, err := f.dataset(d)
		if err != nil {
			return nil, fmt.Errorf("hdf5: dataset %s: %w", d.Name, err)
		}
		root = append(root, message{linkMessage, le(byte(1), byte(0), byte(len(d.Name)), []byte(d.Name), address)})
	}
	address, err := f.object(root)
	if err != nil {
		return nil, fmt.Errorf("hdf5: root group: %w", err)
	}
	block := le([]byte("\x89HDF\r\n\x1a\n"), byte(2), byte(8), byte(8), byte(0), uint64(0), uint64(undefined), uint64(len(f.data)), address)
	copy(f.data, le(block, checksum(block)))
	return f.data, nil
}

// file is a file in the making. What an address leads to is written before the address.
type file struct {
	data  []byte
	texts []string
	index map[string]int // of a text in the heap, from 1
	heap  uint64         // address
}

// place appends data at a multiple of 8 and gives its address.
func (f *file) place(data []byte) uint64 {
	f.data = append(f.data, make([]byte, -len(f.data)&7)...)
	address := len(f.data)
	f.data = append(f.data, data...)
	return uint64(address)
}

// gather checks a dataset and puts its texts into the heap.
func (f *file) gather(d *Dataset) error {
	if len(d.Name) == 0 || len(d.Name) > math.MaxUint8 {
		return fmt.Errorf("its name has %d bytes, not 1 to 255", len(d.Name))
	}
	if f.index == nil {
		f.index = map[string]int{}
	}
	add := func(text string) {
		if text != "" && f.index[text] == 0 {
			f.texts = append(f.texts, text)
			f.index[text] = len(f.texts)
		}
	}
	for _, a := range d.Attributes {
		add(a.Value)
	}
	if texts, ok := d.Data.([]string); ok {
		for _, text := range texts {
			add(text)
		}
	}
	if len(f.texts) > math.MaxUint16 {
		return fmt.Errorf("more than %d texts in a file", math.MaxUint16)
	}
	return nil
}

// writeHeap writes the global heap: all texts that are not empty.
func (f *file) writeHeap() {
	const header, least = 16, 4096 // a reader may refuse a smaller heap
	var body []byte
	for i, text := range f.texts {
		body = append(body, le(uint16(i+1), uint16(0), uint32(0), uint64(len(text)), []byte(text))...)
		body = append(body, make([]byte, -len(text)&7)...)
	}
	size := max(least, header+len(body)+header)
	free := size - header - len(body)
	body = append(body, le(uint16(0), uint16(0), uint32(0), uint64(free))...) // object 0 is what is free
	body = append(body, make([]byte, free-header)...)
	f.heap = f.place(le([]byte("GCOL"), byte(1), []byte{0, 0, 0}, uint64(size), body))
}

// reference is an element that is a text: its length, and its place in the heap.
func (f *file) reference(text string) []byte {
	if text == "" {
		return make([]byte, textSize)
	}
	return le(uint32(len(text)), f.heap, uint32(f.index[text]))
}

// object writes an object header and gives its address.
func (f *file) object(messages []message) (uint64, error) {
	var body []byte
	for _, m := range messages {
		if len(m.data) > math.MaxUint16 {
			return 0, fmt.Errorf("a header message has %d bytes, the most is %d", len(m.data), math.MaxUint16)
		}
		body = append(body, le(m.kind, uint16(len(m.data)), byte(0), m.data)...)
	}
	const fourByteSize = 2 // flag: how wide the next number is
	header := le([]byte("OHDR"), byte(2), byte(fourByteSize), uint32(len(body)), body)
	return f.place(le(header, checksum(header))), nil
}

// dataset writes a dataset and gives its address.
func (f *file) dataset(d *Dataset) (uint64, error) {
	kind, elements, err := f.elements(d)
	if err != nil {
		return 0, err
	}
	messages := []message{
		{dataspaceMessage, dataspace(d.Dims)},
		{datatypeMessage, kind.encoded},
		{fillMessage, []byte{3, 0x0a}}, // the default, written if it is set
	}
	if len(d.Dims) == 0 {
		messages = append(messages, message{layoutMessage, le(byte(3), byte(contiguous), uint64(undefined), uint64(0))})
	} else {
		packed, err := deflate(elements)
		if err != nil {
			return 0, err
		}
		layout := append(le(byte(4), byte(chunked), byte(filteredSingleChunk)), chunkDims(append(slices.Clone(d.Dims), kind.size))...)
		layout = append(layout, le(byte(singleChunk), uint64(len(packed)), uint32(0), f.place(packed))...)
		messages = append(messages,
			message{filterMessage, le(byte(2), byte(1), uint16(deflateFilter), uint16(0), uint16(1), uint32(deflateLevel))},
			message{layoutMessage, layout})
	}
	for _, a := range d.Attributes {
		scalar := []byte{2, 0, 0, 0}
		messages = append(messages, message{attributeMessage, le(byte(3), byte(0), uint16(len(a.Name)+1), uint16(len(textType)), uint16(len(scalar)),
			byte(0), []byte(a.Name), byte(0), textType, scalar, f.reference(a.Value))})
	}
	return f.object(messages)
}

// elements gives the type and the bytes of a dataset's elements.
func (f *file) elements(d *Dataset) (datatype, []byte, error) {
	var kind datatype
	var count int
	var data []byte
	switch v := d.Data.(type) {
	case nil:
		kind = floatType
	case []float32:
		kind, count, data = floatType, len(v), le(v)
	case []uint16:
		kind, count, data = unsignedType(2), len(v), le(v)
	case []uint32:
		kind, count, data = unsignedType(4), len(v), le(v)
	case []string:
		kind, count = datatype{textType, textSize}, len(v)
		for _, text := range v {
			data = append(data, f.reference(text)...)
		}
	default:
		return kind, nil, fmt.Errorf("elements of type %T cannot be written", d.Data)
	}
	want := 1
	for _, n := range d.Dims {
		want *= n
	}
	if len(d.Dims) > 0 && (want < 1 || count != want) || len(d.Dims) == 0 && count > 0 || len(data) > math.MaxUint32 {
		return kind, nil, fmt.Errorf("%d elements for the dimensions %v", count, d.Dims)
	}
	return kind, data, nil
}

func deflate(data []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, deflateLevel)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	return packed.Bytes(), err
}

// le gives values as bytes, one behind the other, the lowest byte first.
func le(values ...any) []byte {
	var data []byte
	for _, v := range values {
		switch v := v.(type) {
		case []byte:
			data = append(data, v...)
		default:
			var err error
			if data, err = binary.Append(data, binary.LittleEndian, v); err != nil {
				panic(fmt.Sprintf("hdf5: %v", err)) // a value of no fixed size, by a mistake in this package
			}
		}
	}
	return data
}
