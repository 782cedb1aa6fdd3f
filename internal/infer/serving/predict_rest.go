package serving

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// predictREST speaks TensorFlow Serving's REST protocol, and KServe's first one,
// which is the same but knows no versions and no metadata.
type predictREST struct{ web }

var jsonHeader = http.Header{"Content-Type": {"application/json"}} // without it KServe does not parse the body

// Describe asks for the status, and for the signature where there is one.
func (c *predictREST) Describe(ctx context.Context) (Description, error) {
	version, err := c.status(ctx)
	if err != nil {
		return Description{}, err
	}
	d := Description{Version: version, Pin: version != ""}
	if c.Protocol == KServeV1 {
		return d, nil
	}
	var answer struct {
		Metadata struct {
			Def struct {
				Signatures map[string]struct {
					Inputs  map[string]jsonTensor `json:"inputs"`
					Outputs map[string]jsonTensor `json:"outputs"`
				} `json:"signature_def"`
			} `json:"signature_def"`
		} `json:"metadata"`
	}
	if err := c.get(ctx, c.model(version, "/metadata"), &answer); err != nil {
		if connector.KindOf(err) == connector.KindRetriable {
			return d, err
		}
		return d, nil // KServe has none
	}
	s := answer.Metadata.Def.Signatures[signature]
	d.Inputs, d.Outputs = tensors(s.Inputs), tensors(s.Outputs)
	return d, nil
}

// signature is the one that models are asked by.
const signature = "serving_default"

type jsonTensor struct {
	Type  string `json:"dtype"`
	Shape struct {
		Dim []struct {
			Size string `json:"size"`
		} `json:"dim"`
	} `json:"tensor_shape"`
}

// tensorTypes are TensorFlow's names of types that have one here.
var tensorTypes = map[string]string{"DT_FLOAT": Float32, "DT_DOUBLE": Float64, "DT_STRING": Bytes}

func tensors(named map[string]jsonTensor) []Tensor {
	var list []Tensor
	for name, t := range named {
		x := Tensor{Name: name, Type: t.Type}
		if known, ok := tensorTypes[t.Type]; ok {
			x.Type = known
		}
		for _, dim := range t.Shape.Dim {
			n, err := strconv.ParseInt(dim.Size, 10, 64)
			if err != nil {
				n = -1
			}
			x.Shape = append(x.Shape, n)
		}
		list = append(list, x)
	}
	return list
}

// status gives the newest version that is available, "" where the server knows
// no versions.
func (c *predictREST) status(ctx context.Context) (string, error) {
	var answer struct {
		Versions []struct {
			Version string `json:"version"`
			State   string `json:"state"`
			Status  struct {
				Message string `json:"error_message"`
			} `json:"status"`
		} `json:"model_version_status"`
		Ready *bool `json:"ready"` // KServe's
	}
	u := c.model(c.Version, "")
	if c.Label != "" {
		u = c.model("", "/labels/"+c.Label)
	}
	if err := c.get(ctx, u, &answer); err != nil {
		return "", err
	}
	var states, available []string
	for _, v := range answer.Versions {
		if _, err := version64(v.Version); err == nil && v.State == "AVAILABLE" {
			available = append(available, v.Version)
		}
		states = append(states, strings.TrimSpace(v.Version+" "+v.State+" "+v.Status.Message))
	}
	switch {
	case len(available) > 0:
		return newest(available), nil
	case len(states) > 0:
		return "", c.notReady("no version is available: " + strings.Join(states, "; "))
	case answer.Ready != nil && !*answer.Ready:
		return "", c.notReady("the model is not ready")
	case c.Protocol == TFServing && answer.Ready == nil:
		return "", connector.Fatal(fmt.Errorf("model server %s: it does not tell the status of the model's versions", u.Redacted()))
	}
	return "", nil
}

// Infer sends the images in rows.
func (c *predictREST) Infer(ctx context.Context, r Request) (Answer, error) {
	u := c.model(r.Version, ":predict")
	if r.Version == "" && c.Label != "" {
		u = c.model("", "/labels/"+c.Label+":predict")
	}
	body := message([]byte(`{"signature_name":"`+signature+`","instances":[`), r.Images, ",", "]}")
	a, err := c.do(ctx, u, jsonHeader, body)
	if err != nil {
		return Answer{}, gone(r.Version, err)
	}
	list, err := predictions(a.body)
	if err == nil && len(list) != len(r.Images) {
		err = fmt.Errorf("it gave %d predictions for %d images", len(list), len(r.Images))
	}
	if err != nil {
		return Answer{}, c.bad(err)
	}
	return Answer{Version: r.Version, Rows: list}, nil
}

// notNumbers are what servers write for what JSON has no word for.
var notNumbers = regexp.MustCompile(`-?\b(NaN|Infinity|nan|inf|Inf)\b`)

// decode reads JSON in which numbers may be no numbers.
func decode(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	if err != nil {
		err = json.Unmarshal(notNumbers.ReplaceAll(data, []byte("null")), into)
	}
	if err != nil {
		return fmt.Errorf("its answer is no JSON (%w): %s", err, excerpt(data))
	}
	return nil
}

func predictions(data []byte) ([][]float32, error) {
	var answer struct {
		Predictions []json.RawMessage `json:"predictions"`
		Error       string            `json:"error"`
	}
	if err := decode(data, &answer); err != nil {
		return nil, err
	}
	switch {
	case answer.Error != "":
		return nil, fmt.Errorf("it says: %s", excerpt([]byte(answer.Error)))
	case answer.Predictions == nil:
		return nil, fmt.Errorf("its answer has no predictions: %s", excerpt(data))
	}
	list := make([][]float32, len(answer.Predictions))
	for i, p := range answer.Predictions {
		var err error
		if list[i], err = row(p); err != nil {
			return nil, fmt.Errorf("prediction %d: %w", i, err)
		}
	}
	return list, nil
}

// row reads one prediction: a list of numbers, or an object with one, which is
// what a model with named outputs gives.
func row(data []byte) ([]float32, error) {
	if bytes.HasPrefix(data, []byte("{")) {
		var named map[string]json.RawMessage
		if err := json.Unmarshal(data, &named); err != nil {
			return nil, err
		}
		p, ok := named[classes]
		if !ok && len(named) != 1 {
			return nil, fmt.Errorf("it has %d outputs and none is called %s", len(named), classes)
		}
		for _, only := range named {
			if !ok {
				p = only
			}
		}
		data = p
	}
	var list []*float64
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("it is no list of numbers: %s", excerpt(data))
	}
	if len(list) == 0 {
		return nil, errors.New("it is empty")
	}
	return floats(list), nil
}

// floats gives NaN for null.
func floats(list []*float64) []float32 {
	out := make([]float32, len(list))
	for i, n := range list {
		if n == nil {
			out[i] = float32(math.NaN())
			continue
		}
		out[i] = float32(*n)
	}
	return out
}
