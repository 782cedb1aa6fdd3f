package model

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/onnx"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
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
	// By describes the model that classified it. It is not to be changed.
	By *Manifest
	// Scores are the probabilities of all classes in the order of By.Labels, with
	// Options.Scores; not to be changed either.
	Scores []float32
	// Embedding is the model's second output, with Options.Embedding.
	Embedding []float32
	// Err is of the kind data for an image that cannot be classified,
	// retriable for a server that is away, fatal for a model that does not fit.
	Err error
}

// Options say which model to use and how.
type Options struct {
	// Model is the path of an ONNX file, or the URL of a model behind a server,
	// as package serving has them; several servers with commas between.
	Model string
	// Protocol and Format are package serving's, empty for what the URL says.
	Protocol, Format string
	// Manifest and Labels are files in place of those beside the model.
	Manifest, Labels string
	// Name and Version take the place of the manifest's and the server's.
	Name, Version string
	// Others are further models, which make up an ensemble with Model: files or
	// URLs, each with its manifest beside it. Name and Version are the ensemble's
	// then; without them they are those of the models with "+" between.
	Others []string
	// Swap replaces the model while it is in use.
	Swap Swap
	// Scores asks for the probabilities of all classes.
	Scores bool
	// Embedding asks for the tensor that the manifest names as output.embedding, or
	// the model's only other output. Only a single model in this process has one.
	Embedding bool
	// Threads is how many images are classified at once in this process, 0 for
	// one per core. All users of a model share its weights and sessions.
	Threads int
	// BatchSize is the largest number of images of one request, 0 for 8.
	BatchSize int
	// InFlight is the largest number of requests at once, to all servers and of
	// all users of the model, 0 for 4.
	InFlight int
	// Delay is how long a request that is not full waits for images of other
	// users of the model, 0 for not at all.
	Delay time.Duration
	// Hedge is how long a request is waited for before it is sent to another
	// server too, 0 for never.
	Hedge time.Duration
	// Timeout bounds one request, 0 for a minute.
	Timeout time.Duration
	// Refresh is how long a server's version is taken to be the same, 0 for 30
	// seconds. Answers or requests name it, so that what is reported is true.
	Refresh time.Duration
	// Transport replaces http.DefaultTransport.
	Transport http.RoundTripper
}

// Remote tells whether a model is the URL of a server, or a list of them.
func Remote(model string) bool { return serving.IsURL(model) }

// Open makes a classifier. A server is asked for the first time by Classify.
func Open(opts Options) (Classifier, error) {
	switch {
	case opts.Embedding && (len(opts.Others) > 0 || Remote(opts.Model)):
		return nil, fmt.Errorf("model %s: an embedding comes from one model in this process only, not from an ensemble or a server", redact(opts.Model))
	case len(opts.Others) > 0:
		return openEnsemble(opts)
	case opts.Swap.Every > 0:
		return openSwapping(opts)
	}
	if Remote(opts.Model) {
		return openRemote(opts)
	}
	return openLocal(opts)
}

func redact(text string) string { return serving.Redact(text) }

// Describe gives the manifest of a classifier that Open gave, with name,
// version and digest; false where the model's server will tell with its first
// answer.
func Describe(c Classifier) (Manifest, bool) {
	l, ok := c.(*local)
	if !ok {
		return Manifest{}, false
	}
	return l.manifest, true
}

// identity is the model's name and version in results.
func identity(name, version string) string { return name + ":" + version }

// NameVersion gives the name and the version of the model that classified the
// image: the two parts of Model.
func (r Result) NameVersion() (name, version string) {
	if r.By != nil {
		if version, ok := strings.CutPrefix(r.Model, r.By.Name+":"); ok {
			return r.By.Name, version
		}
	}
	if i := strings.LastIndexByte(r.Model, ':'); i >= 0 {
		return r.Model[:i], r.Model[i+1:]
	}
	return r.Model, ""
}

// choose turns a model's outputs into a result. It changes scores, and the
// result holds them.
func choose(m *Manifest, scores []float32) Result {
	for i, v := range scores {
		if v != v || math.IsInf(float64(v), 0) {
			return Result{Err: connector.Data(fmt.Errorf("the model gave %g for class %s", v, m.Labels[i]))}
		}
	}
	if m.Output.Kind == outputLogits {
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
	return Result{Class: m.Labels[best], Prob: scores[best], By: m, Scores: scores}
}

func notProbabilities(m *Manifest, why string) Result {
	return Result{Err: connector.Coded("H4008", connector.Fatal(fmt.Errorf("the outputs of model %s are no probabilities: %s; if they are scores before a softmax say so in its manifest: output: logits", m.Name, why)))}
}
