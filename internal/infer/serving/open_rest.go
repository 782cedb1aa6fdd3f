package serving

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
)

// openREST speaks the Open Inference Protocol over REST, with its binary
// extension unless numbers are wanted. Answers may be either.
type openREST struct{ web }

// headLength is the header with the length of the JSON before the tensors.
const headLength = "Inference-Header-Content-Length"

// Describe asks for the model's metadata, and whether it is ready: a server says
// of itself that it is not while it loads another model.
func (c *openREST) Describe(ctx context.Context) (Description, error) {
	type tensor struct {
		Name       string         `json:"name"`
		Type       string         `json:"datatype"`
		Shape      []int64        `json:"shape"`
		Parameters map[string]any `json:"parameters"`
	}
	var answer struct {
		Name       string         `json:"name"`
		Versions   []string       `json:"versions"`
		Inputs     []tensor       `json:"inputs"`
		Outputs    []tensor       `json:"outputs"`
		Parameters map[string]any `json:"parameters"` // MLServer's
		Properties map[string]any `json:"properties"` // KServe's
	}
	u := c.model(c.Version, "")
	if err := c.get(ctx, u, &answer); err != nil {
		return Description{}, err
	}
	if answer.Name == "" && answer.Inputs == nil {
		return Description{}, connector.Coded("H4007", connector.Fatal(fmt.Errorf("model server %s: its answer is no metadata of a model", u.Redacted())))
	}
	switch _, err := c.do(ctx, c.model(c.Version, "/ready"), nil, nil); {
	case connector.KindOf(err) == connector.KindRetriable:
		return Description{}, err
	case err != nil && !errors.Is(err, errNotFound): // not found may be a gateway's opinion about the path
		return Description{}, c.notReady("the model is not ready")
	}
	d := Description{Version: cmp.Or(c.Version, newest(answer.Versions))}
	for _, t := range answer.Inputs {
		d.Inputs = append(d.Inputs, Tensor{t.Name, t.Type, t.Shape})
	}
	texts := []map[string]any{answer.Parameters, answer.Properties}
	for _, t := range answer.Outputs {
		d.Outputs = append(d.Outputs, Tensor{t.Name, t.Type, t.Shape})
		texts = append(texts, t.Parameters)
	}
	for _, m := range texts {
		if d.Labels == nil {
			d.Labels = labels(m["labels"])
		}
	}
	return d, nil
}

// Infer sends the images as one tensor.
func (c *openREST) Infer(ctx context.Context, r Request) (Answer, error) {
	input := map[string]any{"name": r.Model.input(), "datatype": Float32, "shape": append([]int{len(r.Images)}, r.Shape...)}
	request := map[string]any{"id": c.Name, "inputs": []any{input}} // KServe's answer fails without an id
	header, tail := jsonHeader, ""
	if c.Format == Binary {
		input["parameters"] = map[string]any{"binary_data_size": length(r.Images)}
		request["parameters"] = map[string]any{"binary_data_output": true}
	}
	head, err := json.Marshal(request)
	if err != nil {
		return Answer{}, c.bad(err)
	}
	sep := ""
	if c.Format == Binary {
		header = http.Header{"Content-Type": {"application/octet-stream"}, headLength: {strconv.Itoa(len(head))}}
	} else { // the list goes in before the ends of input, list of inputs and request
		end := bytes.LastIndex(head, []byte("}]}"))
		sep, tail = ",", "]"+string(head[end:])
		head = append(head[:end:end], `,"data":[`...)
	}
	a, err := c.do(ctx, c.model(cmp.Or(r.Version, c.Version), "/infer"), header, message(head, r.Images, sep, tail))
	if err != nil {
		if c.Format == Binary && connector.KindOf(err) == connector.KindData && !errors.Is(err, ErrTooLarge) {
			err = connector.Data(fmt.Errorf("%w (a server without the binary extension needs request.format: json)", err))
		}
		return Answer{}, gone(r.Version, err)
	}
	ans, err := openAnswer(a, len(r.Images))
	if err != nil {
		return Answer{}, c.bad(err)
	}
	return ans, nil
}

// openAnswer reads an answer in JSON, or a JSON head with tensors behind it.
func openAnswer(a answered, n int) (Answer, error) {
	head, tail := a.body, []byte(nil)
	if text := a.header.Get(headLength); text != "" {
		at, err := strconv.Atoi(text)
		if err != nil || at < 0 || at > len(head) {
			return Answer{}, fmt.Errorf("its header %s is %q, the answer has %d bytes", headLength, text, len(head))
		}
		head, tail = head[:at], head[at:]
	}
	var answer struct {
		Version string `json:"model_version"`
		Error   string `json:"error"`
		Outputs []struct {
			Name       string          `json:"name"`
			Type       string          `json:"datatype"`
			Shape      []int64         `json:"shape"`
			Data       json.RawMessage `json:"data"`
			Parameters struct {
				Size *int `json:"binary_data_size"`
			} `json:"parameters"`
		} `json:"outputs"`
	}
	if err := decode(head, &answer); err != nil {
		return Answer{}, err
	}
	if answer.Error != "" {
		return Answer{}, fmt.Errorf("it says: %s", excerpt([]byte(answer.Error)))
	}
	var outputs []output
	for _, o := range answer.Outputs {
		out := output{Tensor: Tensor{o.Name, o.Type, o.Shape}}
		var err error
		if size := o.Parameters.Size; size != nil {
			if *size < 0 || *size > len(tail) {
				return Answer{}, fmt.Errorf("its output %s is to have %d bytes, %d are left", o.Name, *size, len(tail))
			}
			out.values, err = littleEndian(o.Type, tail[:*size])
			tail = tail[*size:]
		} else {
			out.values, err = numbers(o.Type, o.Data)
		}
		if err != nil {
			if o.Name != classes && len(answer.Outputs) > 1 {
				continue // an output of another type that nobody asked for
			}
			return Answer{}, fmt.Errorf("its output %s: %w", o.Name, err)
		}
		outputs = append(outputs, out)
	}
	list, err := rows(outputs, n)
	return Answer{Version: answer.Version, Rows: list}, err
}

// numbers reads a list of numbers, flat or nested.
func numbers(kind string, data []byte) ([]float32, error) {
	if kind != Float32 && kind != Float64 {
		return nil, fmt.Errorf("it is %s, expected %s", kind, Float32)
	}
	flat := bytes.Map(func(c rune) rune {
		if c == '[' || c == ']' {
			return ' '
		}
		return c
	}, data)
	var list []*float64
	if err := json.Unmarshal(append(append([]byte{'['}, flat...), ']'), &list); err != nil {
		return nil, fmt.Errorf("it is no list of numbers: %s", excerpt(data))
	}
	return floats(list), nil
}

// littleEndian reads numbers from memory.
func littleEndian(kind string, data []byte) ([]float32, error) {
	width := map[string]int{Float32: 4, Float64: 8}[kind]
	if width == 0 {
		return nil, fmt.Errorf("it is %s, expected %s", kind, Float32)
	}
	if len(data)%width != 0 {
		return nil, fmt.Errorf("%d bytes are no list of %s", len(data), kind)
	}
	out := make([]float32, len(data)/width)
	for i := range out {
		if width == 4 {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
			continue
		}
		out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
	}
	return out, nil
}
