package serving

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a protobuf message: text where it has a length, number otherwise.
type field struct {
	id     protowire.Number
	kind   protowire.Type
	text   []byte
	number uint64
}

var errWire = errors.New("its answer is no message of this protocol")

// each calls do for each field of a message.
func each(message []byte, do func(f field) error) error {
	for len(message) > 0 {
		id, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errWire
		}
		message = message[n:]
		f := field{id: id, kind: kind}
		switch kind {
		case protowire.BytesType:
			f.text, n = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(message)
			f.number = uint64(v)
		case protowire.Fixed64Type:
			f.number, n = protowire.ConsumeFixed64(message)
		default:
			n = protowire.ConsumeFieldValue(id, kind, message)
		}
		if n < 0 {
			return errWire
		}
		message = message[n:]
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

// entry takes a field of a map apart.
func entry(f field) (key string, value []byte, err error) {
	err = each(f.text, func(f field) error {
		switch f.id {
		case 1:
			key = string(f.text)
		case 2:
			value = f.text
		}
		return nil
	})
	return key, value, err
}

// integers appends the numbers of a repeated field, packed or not.
func integers(list []int64, f field) ([]int64, error) {
	if f.kind != protowire.BytesType {
		return append(list, int64(f.number)), nil
	}
	for b := f.text; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, errWire
		}
		list, b = append(list, int64(v)), b[n:]
	}
	return list, nil
}

// reals appends the numbers of a repeated float or double, packed or not.
func reals(list []float32, kind string, f field) ([]float32, error) {
	switch {
	case f.kind == protowire.BytesType:
		more, err := littleEndian(kind, f.text)
		return append(list, more...), err
	case kind == Float64:
		return append(list, float32(math.Float64frombits(f.number))), nil
	}
	return append(list, math.Float32frombits(uint32(f.number))), nil
}

// appendText appends a field of text.
func appendText(b []byte, id protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, id, protowire.BytesType), text)
}

func appendMessage(b []byte, id protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, id, protowire.BytesType), message)
}

func appendNumber(b []byte, id protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, id, protowire.VarintType), v)
}

// appendHead begins a field of which only the first bytes are known here; the
// others, rest of them, follow the message.
func appendHead(b []byte, id protowire.Number, head []byte, rest int) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, id, protowire.BytesType), uint64(len(head)+rest))
	return append(b, head...)
}
