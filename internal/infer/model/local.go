package model

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/onnx"
)

// loaded is an ONNX model in memory with its sessions, one per core at most.
// Tasks that use the same model with the same manifest share it.
type loaded struct {
	key      [32]byte
	users    int      // guarded by sharedMu
	manifest Manifest // of the first user, who may have given it a name
	prep     *Preprocessor
	model    *onnx.Model
	free     chan *worker // with a place for each core; nil is one not made yet
}

// worker is what one goroutine needs to classify an image.
type worker struct {
	session *onnx.Session
	in      []float32
	outputs [][]float32 // the scores and, with it, the embedding
}

var (
	sharedMu sync.Mutex
	shared   = map[[32]byte]*loaded{}
)

// local is one user of a loaded model.
type local struct {
	*loaded
	manifest Manifest // with this user's name and version
	name     string   // NAME:VERSION
	threads  int
	scores   bool
	closed   bool
}

func openLocal(opts Options) (Classifier, error) {
	src, err := find(opts.Model)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, text, err := manifestOf(opts, src)
	if err != nil {
		return nil, err
	}
	digest, weights, err := src.digest()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", opts.Model, err)
	}
	hexDigest := hex.EncodeToString(digest[:])
	if m.Digest != "" && !strings.EqualFold(m.Digest, "sha256:"+hexDigest) {
		return nil, fmt.Errorf("model %s: its digest is sha256:%s, its manifest says %s: they do not belong together", opts.Model, hexDigest, m.Digest)
	}
	m.Name = cmp.Or(opts.Name, m.Name, strings.TrimSuffix(filepath.Base(opts.Model), filepath.Ext(opts.Model)))
	m.Version = cmp.Or(opts.Version, m.Version, hexDigest[:12])
	m.Digest = "sha256:" + hexDigest
	l := &local{name: identity(m.Name, m.Version), threads: opts.Threads, scores: opts.Scores}
	key := sha256.Sum256(append(append(digest[:], text...), strings.Join(m.Labels, "\n")...))
	if opts.Embedding {
		key = sha256.Sum256(append(key[:], "embedding"...))
	}
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if l.loaded = shared[key]; l.loaded == nil {
		if l.loaded, err = load(src.data, weights, m, opts.Embedding); err != nil {
			return nil, fmt.Errorf("model %s: %w", opts.Model, err)
		}
		l.key, shared[key] = key, l.loaded
	}
	l.users++
	l.manifest = l.loaded.manifest
	l.manifest.Name, l.manifest.Version = m.Name, m.Version
	return l, nil
}

// manifestOf gives a model's manifest with its labels, and its text.
func manifestOf(opts Options, src source) (Manifest, []byte, error) {
	var text []byte
	var err error
	name := "manifest of " + opts.Model
	switch {
	case opts.Manifest != "":
		name = "manifest " + opts.Manifest
		text, err = os.ReadFile(opts.Manifest)
	case src.beside != nil:
		if text, err = src.manifest(filepath.Base(opts.Model)); errors.Is(err, os.ErrNotExist) {
			text, err = nil, nil
		}
	}
	if err != nil {
		return Manifest{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	m, err := ParseManifest(text)
	if err != nil {
		return m, nil, fmt.Errorf("%s: %w", name, err)
	}
	var labels []byte
	switch {
	case opts.Labels != "":
		labels, err = os.ReadFile(opts.Labels)
	case len(m.Labels) == 0 && src.beside != nil:
		labels, err = src.labels(opts.Model)
	}
	if err != nil {
		return m, nil, fmt.Errorf("labels: %w", err)
	}
	if labels != nil {
		if m.Labels, err = ParseLabels(string(labels)); err == nil {
			err = m.check()
		}
		if err != nil {
			return m, nil, fmt.Errorf("labels of %s: %w", redact(opts.Model), err)
		}
	}
	return m, text, nil
}

// load makes a model of its file and of the files beside it that hold weights:
// of what its digest is over.
func load(data []byte, weights map[string][]byte, m Manifest, embed bool) (*loaded, error) {
	external := func(name string) ([]byte, error) { return weights[name], nil }
	size := onnx.Options{Height: m.Input.Height, Width: m.Input.Width, Channels: m.Input.Channels, Layout: m.Input.Layout, External: external,
		Output: m.Output.Scores, Labels: len(m.Labels), Embed: embed, Embedding: m.Output.Embedding}
	model, err := onnx.Load(data, size)
	if errors.Is(err, onnx.ErrOpenSize) {
		d := m.orDefaults()
		size.Height, size.Width, size.Channels = d.Input.Height, d.Input.Width, d.Input.Channels
		model, err = onnx.Load(data, size)
	}
	if err != nil {
		return nil, err
	}
	m.Input.Height, m.Input.Width, m.Input.Channels = model.InputSize()
	m = m.orDefaults()
	if err := m.check(); err != nil { // the model's own size may be odd
		return nil, err
	}
	if err := m.labelsFor(model.OutputSize()); err != nil {
		return nil, err
	}
	l := &loaded{manifest: m, prep: NewPreprocessor(m), model: model, free: make(chan *worker, runtime.GOMAXPROCS(0))}
	for range cap(l.free) {
		l.free <- nil
	}
	return l, nil
}

// Close gives up the model; the last user frees it.
func (l *local) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if l.users--; l.users == 0 {
		delete(shared, l.key)
	}
	return nil
}

// Classify spreads the images over sessions.
func (l *local) Classify(ctx context.Context, images [][]byte) []Result {
	results := make([]Result, len(images))
	n := l.threads
	if n <= 0 {
		n = cap(l.free)
	}
	n = min(n, len(images), cap(l.free))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { // ends when no image is left
			w := <-l.free
			if w == nil {
				w = l.newWorker()
			}
			defer func() { l.free <- w }()
			for i := next.Add(1) - 1; int(i) < len(images); i = next.Add(1) - 1 {
				results[i] = l.one(ctx, w, images[i])
			}
		})
	}
	wg.Wait()
	return results
}

func (l *loaded) newWorker() *worker {
	w := &worker{session: l.model.NewSession(), in: make([]float32, l.prep.Size()), outputs: [][]float32{make([]float32, l.model.OutputSize())}}
	if n := l.model.EmbeddingSize(); n > 0 {
		w.outputs = append(w.outputs, make([]float32, n))
	}
	return w
}

func (l *local) one(ctx context.Context, w *worker, img []byte) Result {
	if err := ctx.Err(); err != nil {
		return Result{Err: connector.Retriable(err)}
	}
	if err := l.prep.Tensor(w.in, img); err != nil {
		return Result{Err: connector.Data(err)}
	}
	if err := w.session.Run(w.in, w.outputs...); err != nil {
		return Result{Err: connector.Fatal(err)}
	}
	r := choose(&l.manifest, w.outputs[0])
	r.Model = l.name
	if r.Scores = nil; l.scores && r.Err == nil {
		r.Scores = slices.Clone(w.outputs[0]) // the worker's are overwritten by the next image
	}
	if len(w.outputs) > 1 && r.Err == nil {
		r.Embedding = slices.Clone(w.outputs[1])
	}
	return r
}
