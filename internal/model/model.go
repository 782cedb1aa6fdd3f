package model

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/onnx"
)

// Classifier classifies images. It is used from one goroutine at a time.
type Classifier interface {
	// Classify gives one result per image, a PNG file each.
	Classify(ctx context.Context, images [][]byte) []Result
	// Close releases the model; the classifier is not used after that.
	Close() error
}

// Result is what became of one image.
type Result struct {
	Class string
	// Prob is the class's probability, 0 to 1: the largest of all classes.
	Prob float32
	// Model is the name and version that classified it, NAME:VERSION.
	Model string
	// Err is of the kind data for an image that cannot be classified,
	// retriable for a server that is away, fatal for a model that does not fit.
	Err error
}

// Options say which model to use and how.
type Options struct {
	// Model is the path of an ONNX file, or the URL of a model behind TensorFlow
	// Serving's REST protocol: http://host:8501/v1/models/NAME.
	Model string
	// Manifest and Labels are files in place of those beside the model.
	Manifest, Labels string
	// Name and Version take the place of the manifest's and the server's.
	Name, Version string
	// Threads is how many images are classified at once in this process, 0 for
	// one per core. All users of a model share its weights and sessions.
	Threads int
	// BatchSize is the largest number of images of one request, 0 for 8.
	BatchSize int
	// Timeout bounds one request, 0 for a minute.
	Timeout time.Duration
	// Refresh is how long a server's version is taken to be the same, 0 for 30
	// seconds. Requests name the version, so that what is reported is true.
	Refresh time.Duration
	// Transport replaces http.DefaultTransport.
	Transport http.RoundTripper
}

// Remote tells whether a model is the URL of a server.
func Remote(model string) bool {
	return strings.HasPrefix(model, "http://") || strings.HasPrefix(model, "https://")
}

// Open makes a classifier. A server is asked for the first time by Classify.
func Open(opts Options) (Classifier, error) {
	if !Remote(opts.Model) {
		return openLocal(opts)
	}
	u, err := url.Parse(opts.Model)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("model: %q is not a URL such as http://host:8501/v1/models/NAME", redact(opts.Model))
	}
	return openRemote(opts, u)
}

func redact(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return "the URL"
}

// identity is the model's name and version in results.
func identity(name, version string) string { return name + ":" + version }

// choose turns a model's outputs into a result. It changes scores.
func choose(m *Manifest, scores []float32) Result {
	for i, v := range scores {
		if v != v || math.IsInf(float64(v), 0) {
			return Result{Err: connector.Data(fmt.Errorf("the model gave %g for class %s", v, m.Labels[i]))}
		}
	}
	if m.Output == outputLogits {
		onnx.Softmax(scores, scores)
	}
	best, sum := 0, 0.0
	for i, v := range scores {
		if v < 0 || v > 1+1e-4 {
			return notProbabilities(m, fmt.Sprintf("class %s has %g", m.Labels[i], v))
		}
		sum += float64(v)
		if v > scores[best] {
			best = i
		}
	}
	if math.Abs(sum-1) > 1e-2 {
		return notProbabilities(m, fmt.Sprintf("they add up to %.4g", sum))
	}
	return Result{Class: m.Labels[best], Prob: scores[best]}
}

func notProbabilities(m *Manifest, why string) Result {
	return Result{Err: connector.Fatal(fmt.Errorf("the outputs of model %s are no probabilities: %s; if they are scores before a softmax say so in its manifest: output: logits", m.Name, why))}
}
