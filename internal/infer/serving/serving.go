package serving

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// What a server may speak.
const (
	Auto          = "auto"           // told by the URL, or by asking
	TFServing     = "tfserving"      // TensorFlow Serving
	KServeV1      = "kserve-v1"      // KServe's first protocol
	OpenInference = "open-inference" // KServe V2, Triton, OpenVINO, MLServer
)

// How images travel in a request. Auto is Binary wherever the protocol has it.
const (
	JSON   = "json"   // nested lists of numbers
	Binary = "binary" // float32, little-endian
	PNG    = "png"    // the image file in base64, for a model that decodes it
)

// maxAnswer bounds what a server may answer, in bytes.
const maxAnswer = 64 << 20

// Types of tensors as the Open Inference Protocol calls them; other types keep
// the name that their server gives them.
const (
	Float32 = "FP32"
	Float64 = "FP64"
	Bytes   = "BYTES"
)

// ErrTooLarge is in the error of a request that is larger than the server takes:
// fewer images at once may pass.
var ErrTooLarge = errors.New("the request is larger than the server takes")

// marked is an error that errors.Is finds to be mark too, which its text leaves out.
type marked struct {
	error
	mark error
}

func (m marked) Unwrap() []error { return []error{m.error, m.mark} }

// Client asks one server about one model. It is safe for several goroutines.
type Client interface {
	// Describe gives what the server says about the model now.
	Describe(ctx context.Context) (Description, error)
	// Infer gives the outputs for the images of a request. The images belong to
	// the caller; the client holds references of its own while it needs them.
	Infer(ctx context.Context, r Request) (Answer, error)
	// Close ends the connections.
	Close() error
}

// Description is what a server says about a model; zero values are what it
// does not tell.
type Description struct {
	// Version is the one that is asked for: of the URL, or the newest one available.
	Version string
	// Pin says that answers do not name their version, so that requests have to.
	Pin             bool
	Inputs, Outputs []Tensor
	// Labels are the names of the classes, where the metadata have them.
	Labels []string
}

// Tensor is an input or output of a model. A negative size in Shape is open, a
// nil Shape unknown; the first one counts images.
type Tensor struct {
	Name, Type string
	Shape      []int64
}

// Request asks for the classes of some images.
type Request struct {
	Images []Image
	// Shape is that of one image.
	Shape []int
	// Version is the one to ask for, empty for what the URL says.
	Version string
	// Model is what Describe said.
	Model Description
}

// Answer has a row of outputs per image. NaN stands for what JSON cannot write.
type Answer struct {
	// Version is the one that answered, empty where the answer does not tell.
	Version string
	Rows    [][]float32
}

// Options say how a server is talked to.
type Options struct {
	// Timeout bounds each request.
	Timeout time.Duration
	// Connections is how many idle connections of HTTP are kept.
	Connections int
	// Transport replaces the one of HTTP.
	Transport http.RoundTripper
}

// Dial makes a client. Nothing is sent before the first question.
func Dial(t Target, opts Options) (Client, error) {
	switch {
	case t.grpc():
		return dialGRPC(t, opts)
	case t.Protocol == OpenInference:
		return &openREST{web: newWeb(t, opts)}, nil
	}
	return &predictREST{web: newWeb(t, opts)}, nil
}

// input gives the name of the model's only input, or what to call it.
func (d Description) input() string {
	if len(d.Inputs) > 0 {
		return d.Inputs[0].Name
	}
	return "input"
}

// classes is the name of the output with the probabilities, where there are several.
const classes = "probabilities"

// output is one tensor of an answer.
type output struct {
	Tensor
	values []float32
}

// rows takes the probabilities out of an answer to n images.
func rows(outputs []output, n int) ([][]float32, error) {
	at := slices.IndexFunc(outputs, func(o output) bool { return o.Name == classes })
	switch {
	case len(outputs) == 0:
		return nil, errors.New("its answer has no outputs")
	case at < 0 && len(outputs) > 1:
		return nil, fmt.Errorf("its answer has %d outputs and none is called %s", len(outputs), classes)
	case at < 0:
		at = 0
	}
	o := outputs[at]
	if len(o.Shape) > 0 && o.Shape[0] != int64(n) {
		return nil, fmt.Errorf("it gave %d predictions for %d images", o.Shape[0], n)
	}
	size := int64(1)
	for _, d := range o.Shape {
		if d < 0 || d > math.MaxInt32 || size*d > maxAnswer {
			return nil, fmt.Errorf("its output %s has the impossible shape %v", o.Name, o.Shape)
		}
		size *= d
	}
	if len(o.Shape) == 0 || size != int64(len(o.values)) || size == 0 {
		return nil, fmt.Errorf("its output %s has %d values and the shape %v", o.Name, len(o.values), o.Shape)
	}
	list, each := make([][]float32, n), len(o.values)/n
	for i := range list {
		list[i] = o.values[i*each : (i+1)*each : (i+1)*each]
	}
	return list, nil
}

// newest gives the largest of some versions, the last one where they are no numbers.
func newest(versions []string) string {
	best, top := "", int64(-1)
	for _, v := range versions {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > top {
			best, top = v, n
		}
	}
	if top < 0 && len(versions) > 0 {
		return versions[len(versions)-1]
	}
	return best
}

// timedOut replaces the error of a request that ran out of its own time.
func timedOut(ctx context.Context, limit time.Duration, err error) error {
	if ctx.Err() == nil {
		return fmt.Errorf("no answer within %s", limit)
	}
	return err
}

// fail names the server in an error.
func (t Target) fail(err error) error { return fmt.Errorf("model server %s: %w", t, err) }

// bad is an answer that is none of the protocol or not what was asked for, and
// what else another attempt would not mend.
func (t Target) bad(err error) error {
	return connector.Coded("H4007", connector.Fatal(t.fail(err)))
}

// notReady is a server or model that is being loaded.
func (t Target) notReady(what string) error {
	return connector.Coded("H4006", connector.Retriable(t.fail(errors.New(what))))
}
