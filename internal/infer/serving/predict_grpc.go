package serving

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/axiom-data-science/hydraulics/connector"
)

// predictGRPC speaks TensorFlow Serving's gRPC protocol. Requests leave the
// version to the server where the URL does: each answer names its own.
type predictGRPC struct{ link }

// Methods of TensorFlow Serving.
const (
	methodPredict  = "/tensorflow.serving.PredictionService/Predict"
	methodMetadata = "/tensorflow.serving.PredictionService/GetModelMetadata"
	methodStatus   = "/tensorflow.serving.ModelService/GetModelStatus"
)

// available is the state of a version that can be asked, of ModelVersionStatus.State.
const available = 30

var states = map[uint64]string{10: "START", 20: "LOADING", available: "AVAILABLE", 40: "UNLOADING", 50: "END"}

// dataTypes are TensorFlow's types by number, where they have a name here.
var dataTypes = map[uint64]string{1: Float32, 2: Float64, 7: Bytes}

func dataType(n uint64) string {
	if name, ok := dataTypes[n]; ok {
		return name
	}
	return fmt.Sprintf("of TensorFlow's type %d", n)
}

// spec is a ModelSpec for a version, or for what the URL says.
func (c *predictGRPC) spec(version string) ([]byte, error) {
	b := appendText(nil, 1, c.Name)
	version = cmp.Or(version, c.Version)
	switch {
	case version != "":
		n, err := version64(version)
		if err != nil {
			return nil, c.bad(err)
		}
		b = appendMessage(b, 2, appendNumber(nil, 1, uint64(n)))
	case c.Label != "":
		b = appendText(b, 4, c.Label)
	}
	return b, nil
}

// Describe asks for the versions' status and for the newest one's signature.
func (c *predictGRPC) Describe(ctx context.Context) (Description, error) {
	spec, err := c.spec("")
	if err != nil {
		return Description{}, err
	}
	answer, err := c.call(ctx, methodStatus, mem.BufferSlice{mem.SliceBuffer(appendMessage(nil, 1, spec))})
	if err != nil {
		return Description{}, err
	}
	ready, seen, err := versionStates(answer)
	switch {
	case err != nil:
		return Description{}, c.bad(err)
	case len(ready) == 0 && len(seen) > 0:
		return Description{}, c.notReady("no version is available: " + strings.Join(seen, "; "))
	case len(ready) == 0:
		return Description{}, c.bad(errors.New("it does not tell the status of the model's versions"))
	}
	d := Description{Version: newest(ready)}
	if spec, err = c.spec(d.Version); err != nil {
		return d, err
	}
	request := appendText(appendMessage(nil, 1, spec), 2, "signature_def")
	if answer, err = c.call(ctx, methodMetadata, mem.BufferSlice{mem.SliceBuffer(request)}); err != nil {
		if connector.KindOf(gone(d.Version, err)) == connector.KindRetriable {
			return d, gone(d.Version, err)
		}
		return d, nil // it can be asked all the same
	}
	if err := signatures(answer, &d); err != nil {
		return d, c.bad(err)
	}
	return d, nil
}

// versionStates reads a GetModelStatusResponse.
func versionStates(answer []byte) (ready, seen []string, err error) {
	err = each(answer, func(f field) error {
		if f.id != 1 {
			return nil
		}
		var version, state uint64
		message := ""
		err := each(f.text, func(f field) error {
			switch f.id {
			case 1:
				version = f.number
			case 2:
				state = f.number
			case 3:
				return each(f.text, func(f field) error {
					if f.id == 2 {
						message = string(f.text)
					}
					return nil
				})
			}
			return nil
		})
		name := strconv.FormatInt(int64(version), 10)
		if state == available {
			ready = append(ready, name)
		}
		seen = append(seen, strings.TrimSpace(name+" "+states[state]+" "+message))
		return err
	})
	return ready, seen, err
}

// signatures reads a GetModelMetadataResponse: inputs and outputs of the
// signature that models are asked by.
func signatures(answer []byte, d *Description) error {
	return each(answer, func(f field) error {
		if f.id != 2 {
			return nil
		}
		_, holder, err := entry(f) // an Any
		if err != nil {
			return err
		}
		_, list, err := entry(field{text: holder}) // its type and value have the numbers of key and value
		if err != nil {
			return err
		}
		return each(list, func(f field) error {
			name, def, err := entry(f)
			if err != nil || name != signature {
				return err
			}
			return each(def, func(f field) error {
				if f.id != 1 && f.id != 2 {
					return nil
				}
				t, err := tensorInfo(f)
				if f.id == 1 {
					d.Inputs = append(d.Inputs, t)
				} else {
					d.Outputs = append(d.Outputs, t)
				}
				return err
			})
		})
	})
}

// tensorInfo reads an entry of a signature.
func tensorInfo(f field) (t Tensor, err error) {
	var info []byte
	if t.Name, info, err = entry(f); err != nil {
		return t, err
	}
	err = each(info, func(f field) error {
		switch f.id {
		case 2:
			t.Type = dataType(f.number)
		case 3:
			t.Shape, err = shape(f.text)
			return err
		}
		return nil
	})
	return t, err
}

// shape reads a TensorShapeProto.
func shape(message []byte) (dims []int64, err error) {
	err = each(message, func(f field) error {
		if f.id != 2 {
			return nil
		}
		size := int64(0)
		defer func() { dims = append(dims, size) }()
		return each(f.text, func(f field) error {
			if f.id == 1 {
				size = int64(f.number)
			}
			return nil
		})
	})
	return dims, err
}

// Infer sends the images as one tensor. Everything that encloses the tensor
// ends with it, so that the message is a head and the images.
func (c *predictGRPC) Infer(ctx context.Context, r Request) (Answer, error) {
	spec, err := c.spec(r.Version)
	if err != nil {
		return Answer{}, err
	}
	size := length(r.Images)
	dims := []byte(nil)
	for _, n := range append([]int{len(r.Images)}, r.Shape...) {
		dims = appendMessage(dims, 2, appendNumber(nil, 1, uint64(n)))
	}
	tensor := appendMessage(appendNumber(nil, 1, 1), 2, dims)
	tensor = appendHead(tensor, 4, nil, size)
	input := appendHead(appendText(nil, 1, r.Model.input()), 2, tensor, size)
	head := appendMessage(nil, 1, appendText(spec, 3, signature))
	head = appendHead(head, 2, input, size)
	answer, err := c.call(ctx, methodPredict, message(head, r.Images, "", ""))
	if err != nil {
		return Answer{}, gone(r.Version, err)
	}
	ans, err := predictAnswer(answer, len(r.Images))
	if err != nil {
		return Answer{}, c.bad(err)
	}
	return ans, nil
}

// predictAnswer reads a PredictResponse.
func predictAnswer(answer []byte, n int) (Answer, error) {
	var ans Answer
	var outputs []output
	err := each(answer, func(f field) error {
		switch f.id {
		case 1:
			name, tensor, err := entry(f)
			if err != nil {
				return err
			}
			o, err := tensorProto(tensor)
			o.Name = name
			if err == nil && (o.values != nil || o.Type == Float32) {
				outputs = append(outputs, o)
			}
			return err
		case 2:
			return each(f.text, func(f field) error {
				if f.id != 2 {
					return nil
				}
				return each(f.text, func(f field) error {
					if f.id == 1 {
						ans.Version = strconv.FormatInt(int64(f.number), 10)
					}
					return nil
				})
			})
		}
		return nil
	})
	if err == nil {
		ans.Rows, err = rows(outputs, n)
	}
	return ans, err
}

// tensorProto reads a TensorProto; the values of a type that is no float stay nil.
func tensorProto(message []byte) (o output, err error) {
	err = each(message, func(f field) error {
		var err error
		switch {
		case f.id == 1:
			o.Type = dataType(f.number)
		case f.id == 2:
			o.Shape, err = shape(f.text)
		}
		return err
	})
	if err != nil || o.Type != Float32 && o.Type != Float64 {
		return o, err
	}
	listed := false
	list := map[string]protowire.Number{Float32: 5, Float64: 6}[o.Type]
	err = each(message, func(f field) error {
		var err error
		switch f.id {
		case 4:
			if len(f.text) > 0 {
				o.values, err = littleEndian(o.Type, f.text)
			}
		case list:
			o.values, err = reals(o.values, o.Type, f)
			listed = true
		}
		return err
	})
	if listed {
		o = fill(o)
	}
	return o, err
}

// fill repeats the last value of a list: TensorFlow shortens one that ends with
// equal values.
func fill(o output) output {
	const bound = 1 << 20
	size := int64(1)
	for _, d := range o.Shape {
		if d <= 0 || d > bound || size*d > bound {
			return o
		}
		size *= d
	}
	for have := len(o.values); have > 0 && int64(len(o.values)) < size; {
		o.values = append(o.values, o.values[have-1])
	}
	return o
}
