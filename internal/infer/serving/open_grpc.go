package serving

import (
	"cmp"
	"context"
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// openGRPC speaks the Open Inference Protocol over gRPC, with raw contents.
type openGRPC struct{ link }

// Methods of the Open Inference Protocol.
const (
	methodReady = "/inference.GRPCInferenceService/ModelReady"
	methodModel = "/inference.GRPCInferenceService/ModelMetadata"
	methodInfer = "/inference.GRPCInferenceService/ModelInfer"
)

// Describe asks for the model's metadata, and whether it is ready: a server says
// of itself that it is not while it loads another model.
func (c *openGRPC) Describe(ctx context.Context) (Description, error) {
	request := appendText(nil, 1, c.Name)
	if c.Version != "" {
		request = appendText(request, 2, c.Version)
	}
	answer, err := c.call(ctx, methodModel, mem.BufferSlice{mem.SliceBuffer(request)})
	if err != nil {
		return Description{}, err
	}
	d, err := openMetadata(answer)
	if err != nil {
		return Description{}, c.bad(err)
	}
	if answer, err = c.call(ctx, methodReady, mem.BufferSlice{mem.SliceBuffer(request)}); err != nil {
		return Description{}, err
	}
	ready := false
	err = each(answer, func(f field) error {
		ready = ready || f.id == 1 && f.number != 0
		return nil
	})
	if err != nil {
		return Description{}, c.bad(err)
	}
	if !ready {
		return Description{}, c.notReady("the model is not ready")
	}
	d.Version = cmp.Or(c.Version, d.Version)
	return d, nil
}

// openMetadata reads a ModelMetadataResponse.
func openMetadata(answer []byte) (Description, error) {
	var d Description
	var versions []string
	err := each(answer, func(f field) error {
		switch f.id {
		case 2:
			versions = append(versions, string(f.text))
		case 4, 5:
			o, _, err := openTensor(f.text)
			if f.id == 4 {
				d.Inputs = append(d.Inputs, o.Tensor)
			} else {
				d.Outputs = append(d.Outputs, o.Tensor)
			}
			return err
		case 6: // properties; MLServer's parameters are messages with the text as field 3
			key, value, err := entry(f)
			if err != nil || key != "labels" {
				return err
			}
			if tag := protowire.AppendTag(nil, 3, protowire.BytesType)[0]; len(value) > 0 && value[0] == tag {
				err = each(value, func(f field) error { value = f.text; return nil })
			}
			d.Labels = labels(string(value))
			return err
		}
		return nil
	})
	d.Version = newest(versions)
	return d, err
}

// openTensor reads a TensorMetadata or an InferOutputTensor: they have the same
// numbers, the latter more of them.
func openTensor(message []byte) (o output, typed bool, err error) {
	var contents []byte
	err = each(message, func(f field) error {
		var err error
		switch f.id {
		case 1:
			o.Name = string(f.text)
		case 2:
			o.Type = string(f.text)
		case 3:
			o.Shape, err = integers(o.Shape, f)
		case 5:
			contents, typed = f.text, true
		}
		return err
	})
	if err != nil || !typed {
		return o, false, err
	}
	list, ok := map[string]protowire.Number{Float32: 6, Float64: 7}[o.Type] // of InferTensorContents
	if !ok {
		return o, true, nil
	}
	err = each(contents, func(f field) error {
		var err error
		if f.id == list {
			o.values, err = reals(o.values, o.Type, f)
		}
		return err
	})
	return o, true, err
}

// Infer sends the images as one tensor, which is the last field of the message.
func (c *openGRPC) Infer(ctx context.Context, r Request) (Answer, error) {
	dims := protowire.AppendVarint(nil, uint64(len(r.Images)))
	for _, n := range r.Shape {
		dims = protowire.AppendVarint(dims, uint64(n))
	}
	input := appendMessage(appendText(appendText(nil, 1, r.Model.input()), 2, Float32), 3, dims)
	head := appendText(nil, 1, c.Name)
	if version := cmp.Or(r.Version, c.Version); version != "" {
		head = appendText(head, 2, version)
	}
	head = appendMessage(head, 5, input)
	head = appendHead(head, 7, nil, length(r.Images))
	answer, err := c.call(ctx, methodInfer, message(head, r.Images, "", ""))
	if err != nil {
		return Answer{}, gone(r.Version, err)
	}
	ans, err := openMessage(answer, len(r.Images))
	if err != nil {
		return Answer{}, c.bad(err)
	}
	return ans, nil
}

// openMessage reads a ModelInferResponse.
func openMessage(answer []byte, n int) (Answer, error) {
	var ans Answer
	var outputs []output
	var raw [][]byte
	typed := false
	err := each(answer, func(f field) error {
		switch f.id {
		case 2:
			ans.Version = string(f.text)
		case 5:
			o, has, err := openTensor(f.text)
			outputs, typed = append(outputs, o), typed || has
			return err
		case 6:
			raw = append(raw, f.text)
		}
		return nil
	})
	if err != nil {
		return ans, err
	}
	if len(raw) > 0 && (typed || len(raw) != len(outputs)) {
		return ans, fmt.Errorf("its answer has %d outputs and %d raw contents", len(outputs), len(raw))
	}
	floating := outputs[:0]
	for i, o := range outputs {
		if o.Type != Float32 && o.Type != Float64 {
			continue
		}
		if len(raw) > 0 {
			if o.values, err = littleEndian(o.Type, raw[i]); err != nil {
				return ans, err
			}
		}
		floating = append(floating, o)
	}
	ans.Rows, err = rows(floating, n)
	return ans, err
}
