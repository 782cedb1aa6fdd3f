package model

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// remote is a model behind TensorFlow Serving's REST protocol, or KServe's
// first one, which is the same but knows no versions.
type remote struct {
	opts     Options
	client   http.Client
	base     *url.URL // of the status
	unpinned *url.URL // of requests that name no version: without /versions, /labels
	prep     *Preprocessor
	texts    [256]string
	given    Manifest // as it was given
	manifest Manifest // with the labels, once the number of outputs is known
	version  string   // that requests ask for, "" where the server has none
	name     string   // NAME:VERSION, of what version says
	fresh    bool     // the server was asked since something went wrong
	checked  time.Time
	body     []byte
	pixels   []byte
	now      func() time.Time
}

func openRemote(opts Options, u *url.URL) (Classifier, error) {
	m, _, err := manifestOf(opts, source{})
	if err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), ":predict")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	at := len(parts)
	for i := range parts {
		if i+2 < len(parts) && parts[i] == "v1" && parts[i+1] == "models" {
			at = i + 2
		}
	}
	rest := len(parts) - at - 1
	if at == len(parts) || parts[at] == "" || rest != 0 && (rest != 2 || parts[at+1] != "versions" && parts[at+1] != "labels") {
		return nil, fmt.Errorf("model: %s is not a URL such as http://host:8501/v1/models/NAME, with /versions/N or /labels/L behind it where wanted", u.Redacted())
	}
	base, unpinned := *u, *u
	base.Path, base.RawPath = path, ""
	unpinned.Path, unpinned.RawPath = "/"+strings.Join(parts[:at+1], "/"), ""
	if m.Name == "" {
		m.Name = parts[at]
	}
	if opts.Name != "" {
		m.Name = opts.Name
	}
	if opts.BatchSize <= 0 {
		opts.BatchSize = 8
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Minute
	}
	if opts.Refresh <= 0 {
		opts.Refresh = 30 * time.Second
	}
	r := &remote{opts: opts, client: http.Client{Transport: opts.Transport}, base: &base, unpinned: &unpinned, given: m, now: time.Now}
	r.manifest = m.orDefaults()
	r.prep = NewPreprocessor(m)
	if err := r.prep.bytesOnly(); err != nil {
		return nil, fmt.Errorf("model %s: manifest: %w, which is for ONNX files only", u.Redacted(), err)
	}
	for v, x := range r.prep.table {
		r.texts[v] = strconv.FormatFloat(float64(x), 'g', -1, 32)
	}
	r.pixels = make([]byte, r.prep.Size())
	return r, nil
}

// Close drops idle connections.
func (r *remote) Close() error {
	r.client.CloseIdleConnections()
	return nil
}

// Classify sends the images in requests of at most BatchSize. An image that is
// no image is not sent.
func (r *remote) Classify(ctx context.Context, images [][]byte) []Result {
	results := make([]Result, len(images))
	if len(images) == 0 {
		return results
	}
	if err := r.refresh(ctx); err != nil {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	var index []int
	r.begin()
	flush := func() {
		if len(index) > 0 {
			r.send(ctx, images, index, results)
			index = index[:0]
			r.begin()
		}
	}
	for i, img := range images {
		if err := r.append(img); err != nil {
			results[i].Err = connector.Data(err)
			continue
		}
		if index = append(index, i); len(index) == r.opts.BatchSize {
			flush()
		}
	}
	flush()
	return results
}

// send asks for the images of the request at hand. Where the server refuses
// the request as such, each image is sent alone, so that a bad one does not
// take the others with it.
func (r *remote) send(ctx context.Context, images [][]byte, index []int, results []Result) {
	rows, err := r.predict(ctx)
	if err == nil && len(rows) != len(index) {
		err = connector.Fatal(fmt.Errorf("model server %s: it gave %d predictions for %d images", r.unpinned.Redacted(), len(rows), len(index)))
	}
	if connector.KindOf(err) == connector.KindData && len(index) > 1 {
		for _, i := range index {
			r.begin()
			if err := r.append(images[i]); err != nil {
				results[i].Err = connector.Data(err)
				continue
			}
			r.send(ctx, images, []int{i}, results)
		}
		return
	}
	for k, i := range index {
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i] = r.result(rows[k])
	}
}

// result judges one prediction.
func (r *remote) result(row []float32) Result {
	if len(r.manifest.Labels) != len(row) {
		m := r.given
		if err := m.labelsFor(len(row)); err != nil {
			return Result{Err: connector.Fatal(fmt.Errorf("model server %s: %w", r.unpinned.Redacted(), err))}
		}
		r.manifest.Labels = m.Labels
	}
	got := choose(&r.manifest, row)
	got.Model = r.name
	return got
}

// refresh asks the server which version it serves, when that is not known or
// was asked too long ago.
func (r *remote) refresh(ctx context.Context) error {
	if r.fresh && r.now().Sub(r.checked) < r.opts.Refresh {
		return nil
	}
	version, pinned, err := r.status(ctx)
	if err != nil {
		return err
	}
	r.version, r.checked = "", r.now()
	if pinned {
		r.version = version
	}
	if r.opts.Version != "" {
		version = r.opts.Version
	}
	if version == "" {
		version = r.given.Version
	}
	if version == "" {
		return connector.Fatal(fmt.Errorf("model server %s does not tell the model's version: set model.version, or version in the manifest", r.base.Redacted()))
	}
	if err := r.metadata(ctx); err != nil {
		return err
	}
	r.name, r.fresh = identity(r.manifest.Name, version), true
	return nil
}

// forget makes the next call ask for the version again.
func (r *remote) forget() { r.fresh = false }

// status gives the model's version; pinned tells that requests can name it.
func (r *remote) status(ctx context.Context) (version string, pinned bool, err error) {
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
	if err := r.get(ctx, r.base, &answer); err != nil {
		return "", false, err
	}
	best, states := int64(-1), []string{}
	for _, v := range answer.Versions {
		n, err := strconv.ParseInt(v.Version, 10, 64)
		if err == nil && v.State == "AVAILABLE" && n > best {
			best = n
		}
		states = append(states, strings.TrimSpace(v.Version+" "+v.State+" "+v.Status.Message))
	}
	switch {
	case best >= 0:
		return strconv.FormatInt(best, 10), true, nil
	case len(states) > 0:
		return "", false, connector.Retriable(fmt.Errorf("model server %s: no version is available: %s", r.base.Redacted(), strings.Join(states, "; ")))
	case answer.Ready != nil && !*answer.Ready:
		return "", false, connector.Retriable(fmt.Errorf("model server %s: the model is not ready", r.base.Redacted()))
	}
	return "", false, nil
}

// metadata compares the model's signature with the manifest, where the server
// has one.
func (r *remote) metadata(ctx context.Context) error {
	type tensor struct {
		Type  string `json:"dtype"`
		Shape struct {
			Dim []struct {
				Size string `json:"size"`
			} `json:"dim"`
		} `json:"tensor_shape"`
	}
	var answer struct {
		Metadata struct {
			Def struct {
				Signatures map[string]struct {
					Inputs  map[string]tensor `json:"inputs"`
					Outputs map[string]tensor `json:"outputs"`
				} `json:"signature_def"`
			} `json:"signature_def"`
		} `json:"metadata"`
	}
	u := r.address("/metadata")
	if err := r.get(ctx, u, &answer); err != nil {
		if connector.KindOf(err) == connector.KindRetriable {
			return err
		}
		return nil // KServe has none
	}
	s, ok := answer.Metadata.Def.Signatures["serving_default"]
	if !ok {
		return nil
	}
	size := func(t tensor, i int) int {
		if i >= len(t.Shape.Dim) {
			return -1
		}
		n, err := strconv.Atoi(t.Shape.Dim[i].Size)
		if err != nil {
			return -1
		}
		return n
	}
	var errs []error
	if len(s.Inputs) != 1 {
		errs = append(errs, fmt.Errorf("its signature serving_default has %d inputs, expected one", len(s.Inputs)))
	}
	for name, in := range s.Inputs {
		want := [...]int{-1, r.prep.height, r.prep.width, r.prep.channels}
		if in.Type != "DT_FLOAT" {
			errs = append(errs, fmt.Errorf("its input %s is %s, expected DT_FLOAT", name, in.Type))
		}
		if len(in.Shape.Dim) != 0 && len(in.Shape.Dim) != 4 {
			errs = append(errs, fmt.Errorf("its input %s has %d dimensions, expected 4", name, len(in.Shape.Dim)))
		}
		for i := 1; i < 4; i++ {
			if n := size(in, i); n > 0 && n != want[i] {
				errs = append(errs, fmt.Errorf("dimension %d of its input %s is %d, the manifest says %d", i, name, n, want[i]))
			}
		}
	}
	if len(s.Outputs) == 1 && len(r.given.Labels) > 0 {
		for name, out := range s.Outputs {
			if n := size(out, 1); n > 0 && n != len(r.given.Labels) {
				errs = append(errs, fmt.Errorf("its output %s has %d classes, there are %d labels", name, n, len(r.given.Labels)))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return connector.Fatal(fmt.Errorf("model server %s: %w", r.base.Redacted(), err))
	}
	return nil
}

// address gives the URL of a request about the version at hand.
func (r *remote) address(suffix string) *url.URL {
	u := *r.unpinned
	if r.version != "" {
		u.Path += "/versions/" + r.version
	}
	u.Path += suffix
	return &u
}
