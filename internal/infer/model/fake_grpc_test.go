package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// frames passes messages as bytes.
type frames struct{}

func (frames) Name() string { return "proto" }
func (frames) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}
func (frames) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// stream answers a call of gRPC.
func (f *fake) stream(_ any, s grpc.ServerStream) error {
	var request, answer []byte
	if err := s.RecvMsg(&request); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(s)
	f.mu.Lock()
	hang, err := f.hang && (strings.HasSuffix(method, "/Predict") || strings.HasSuffix(method, "/ModelInfer")), error(nil)
	if !hang {
		answer, err = f.call(method, request)
	} else if f.hung != nil {
		f.hung()
	}
	f.mu.Unlock()
	if hang {
		select {
		case <-f.stop:
		case <-s.Context().Done():
		}
		return status.FromContextError(s.Context().Err()).Err() // the call's own end is sent along
	}
	if err != nil {
		return err
	}
	return s.SendMsg(&answer)
}

func (f *fake) call(method string, request []byte) ([]byte, error) {
	fields := parse(request)
	infer := strings.HasSuffix(method, "/Predict") || strings.HasSuffix(method, "/ModelInfer")
	switch {
	case f.busy && infer:
		return nil, status.Error(codes.ResourceExhausted, "queue is full")
	case f.empty && infer:
		return nil, nil
	case strings.HasPrefix(method, "/inference."):
		return f.open(method, fields)
	}
	spec := parse(fields[1][0])
	version := ""
	if v := spec[2]; v != nil {
		version = fmt.Sprint(number(parse(v[0])[1]))
	}
	if string(spec[1][0]) != "ifcb" || version != "" && version != f.version {
		return nil, status.Errorf(codes.NotFound, "Servable not found for request: Specific(%s, %s)", spec[1][0], version)
	}
	n := uint64(0)
	fmt.Sscan(f.version, &n)
	switch {
	case strings.HasSuffix(method, "/GetModelStatus"):
		state := uint64(30)
		if !f.ready {
			state = 20
		}
		return pb(1, pb(1, n), pb(2, state)), nil
	case strings.HasSuffix(method, "/GetModelMetadata"):
		f.metadata++
		kind := uint64(1)
		dims := func(list ...int) (b []byte) {
			for _, d := range list {
				b = append(b, pb(2, pb(1, uint64(d)))...)
			}
			return b
		}
		def := append(pb(1, pb(1, "x"), pb(2, pb(2, kind), pb(3, dims(-1, side, side, 3)))), pb(2, pb(1, "p"), pb(2, pb(2, kind), pb(3, dims(-1, 50))))...)
		return pb(2, pb(1, "signature_def"), pb(2, pb(1, "type"), pb(2, pb(1, pb(1, "serving_default"), pb(2, def))))), nil
	case strings.HasSuffix(method, "/Predict"):
		input := parse(fields[2][0])
		tensor := parse(input[2][0])
		images := int(number(parse(parse(tensor[2][0])[2][0])[1]))
		if want := images * side * side * 3 * 4; string(input[1][0]) != "x" || len(tensor[4][0]) != want {
			f.t.Errorf("input %s has %d bytes, expected x with %d", input[1][0], len(tensor[4][0]), want)
		}
		if f.limit > 0 && images > f.limit {
			return nil, status.Error(codes.ResourceExhausted, "Received message larger than max (4816896 vs. 4194304)")
		}
		values, answered := f.predict(images, version)
		shape := append(pb(2, pb(1, uint64(images))), pb(2, pb(1, uint64(f.classes)))...)
		out := append(pb(1, uint64(1)), pb(2, shape)...)
		if len(f.images)%2 == 0 {
			out = append(out, pb(4, little(values))...)
		} else {
			out = append(out, pb(5, little(values))...) // packed floats
		}
		if f.float64s {
			out = append(append(pb(1, uint64(2)), pb(2, shape)...), pb(4, little64(values))...)
		}
		answer := pb(1, pb(1, "p"), pb(2, out))
		if answered != "" {
			fmt.Sscan(answered, &n)
			answer = append(answer, pb(2, pb(1, "ifcb"), pb(2, pb(1, n)))...)
		}
		return answer, nil
	}
	return nil, status.Error(codes.Unimplemented, "unknown service")
}

func (f *fake) open(method string, fields map[protowire.Number][][]byte) ([]byte, error) {
	switch {
	case strings.HasSuffix(method, "/ModelReady"):
		if f.ready {
			return pb(1, uint64(1)), nil
		}
		return nil, nil
	case strings.HasSuffix(method, "/ModelMetadata"):
		f.metadata++
		if string(fields[1][0]) != "ifcb" {
			return nil, status.Error(codes.NotFound, "no such model")
		}
		dims := func(list ...int) (b []byte) {
			for _, d := range list {
				b = protowire.AppendVarint(b, uint64(d))
			}
			return b
		}
		b := append(pb(1, "ifcb"), pb(4, pb(1, "x"), pb(2, "FP32"), pb(3, dims(-1, side, side, 3)))...)
		b = append(b, pb(5, pb(1, "p"), pb(2, "FP32"), pb(3, dims(-1, 50)))...)
		if f.version != "" {
			b = append(b, append(pb(2, "1"), pb(2, f.version)...)...)
		}
		if f.labels != "" {
			b = append(b, pb(6, pb(1, "labels"), pb(2, f.labels))...)
		}
		return b, nil
	case strings.HasSuffix(method, "/ModelInfer"):
		input := parse(fields[5][0])
		n, _ := protowire.ConsumeVarint(input[3][0])
		images := int(n)
		if want := images * side * side * 3 * 4; string(input[1][0]) != "x" || string(input[2][0]) != "FP32" || len(fields[7][0]) != want {
			f.t.Errorf("input %s %s has %d bytes, expected x FP32 with %d", input[1][0], input[2][0], len(fields[7][0]), want)
		}
		version := ""
		if v := fields[2]; v != nil {
			version = string(v[0])
		}
		if version != "" && version != f.version {
			return nil, status.Errorf(codes.NotFound, "version %s is not there", version)
		}
		if f.limit > 0 && images > f.limit {
			return nil, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (4816896 vs. 4194304)")
		}
		values, answered := f.predict(images, version)
		kind, data := "FP32", little(values)
		if f.float64s {
			kind, data = "FP64", little64(values)
		}
		shape := protowire.AppendVarint(protowire.AppendVarint(nil, n), uint64(f.classes))
		b := append(pb(1, "ifcb"), pb(2, answered)...)
		if len(f.images)%2 == 0 && !f.float64s {
			return append(b, pb(5, pb(1, "p"), pb(2, kind), pb(3, shape), pb(5, pb(6, data)))...), nil
		}
		return append(append(b, pb(5, pb(1, "p"), pb(2, kind), pb(3, shape))...), pb(6, data)...), nil
	}
	return nil, status.Error(codes.Unimplemented, "unknown service")
}

// pb makes a field of a message, whose parts are fields, text or one number.
func pb(id protowire.Number, parts ...any) []byte {
	var inner []byte
	for _, p := range parts {
		switch x := p.(type) {
		case uint64:
			return protowire.AppendVarint(protowire.AppendTag(nil, id, protowire.VarintType), x)
		case string:
			inner = append(inner, x...)
		case []byte:
			inner = append(inner, x...)
		}
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, id, protowire.BytesType), inner)
}

// parse gives the fields of a message by number; a number as its varint.
func parse(message []byte) map[protowire.Number][][]byte {
	m := map[protowire.Number][][]byte{}
	for len(message) > 0 {
		id, kind, n := protowire.ConsumeTag(message)
		message = message[n:]
		size := protowire.ConsumeFieldValue(id, kind, message)
		value := message[:size]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		m[id] = append(m[id], value)
		message = message[size:]
	}
	return m
}

func number(values [][]byte) uint64 {
	n, _ := protowire.ConsumeVarint(values[0])
	return n
}

func little(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func little64(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
	}
	return b
}
