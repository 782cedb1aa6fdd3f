package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Manifest describes a model. Zero values are unset: see the package comment
// for what stands for them.
type Manifest struct {
	Name    string         `yaml:"name"`
	Version string         `yaml:"version"`
	File    string         `yaml:"file"`
	Digest  string         `yaml:"digest"` // "sha256:" and hexadecimal digits
	Input   Input          `yaml:"input"`
	Resize  Resize         `yaml:"resize"`
	Scale   float64        `yaml:"scale"` // multiplies pixel values 0..255
	Mean    []float64      `yaml:"mean"`  // of all channels or of each, subtracted after that
	Std     []float64      `yaml:"std"`   // of all channels or of each, divides after that
	Output  Output         `yaml:"output"`
	Labels  []string       `yaml:"labels"`
	Train   map[string]any `yaml:"training"` // for people
	Metrics map[string]any `yaml:"metrics"`  // for people

	preparation string // digest of what is done to images, once defaults are filled in
}

// Input is the image that a model takes.
type Input struct {
	Height   int    `yaml:"height"`
	Width    int    `yaml:"width"`
	Channels int    `yaml:"channels"` // 3, or 1 for gray
	Layout   string `yaml:"layout"`   // NHWC or NCHW
	Order    string `yaml:"order"`    // RGB or BGR
}

// Resize says how an image gets the size of the input.
type Resize struct {
	// Filter is nearest, box, bilinear, bicubic or lanczos, which are Pillow's,
	// or keras-nearest or keras-bilinear, which are those of Keras's
	// image_dataset_from_directory.
	Filter string `yaml:"filter"`
	// KeepAspect fits the image into the input and fills what is left over.
	KeepAspect bool `yaml:"keep_aspect"`
	Fill       Fill `yaml:"fill"`
	// Pad is before where the image is padded to the shape of the input and
	// resized then, after or "" where it is resized first.
	Pad string `yaml:"pad,omitempty"`
}

// Output says what a model gives. In YAML it may be its Kind alone.
type Output struct {
	Kind      string `yaml:"kind"`                // probabilities or logits
	Scores    string `yaml:"scores,omitempty"`    // the output with the scores, where there are several
	Embedding string `yaml:"embedding,omitempty"` // the tensor that is the embedding
}

// UnmarshalYAML reads the kind alone, or all.
func (o *Output) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*o = Output{}
		return node.Decode(&o.Kind)
	}
	type plain Output
	for i := 0; i+1 < len(node.Content); i += 2 { // a decoder's KnownFields does not reach here
		if key := node.Content[i].Value; !oneOf(key, "kind", "scores", "embedding") {
			return fmt.Errorf("line %d: output: unknown key %s", node.Content[i].Line, key)
		}
	}
	return node.Decode((*plain)(o))
}

// MarshalYAML gives the kind alone where that is all.
func (o Output) MarshalYAML() (any, error) {
	if o.Scores == "" && o.Embedding == "" {
		return o.Kind, nil
	}
	type plain Output
	return plain(o), nil
}

// What an output may be.
const (
	outputProbabilities = "probabilities"
	outputLogits        = "logits"
)

// Bounds of a manifest's numbers.
const (
	maxSide   = 4096
	maxLabels = 100_000
)

// ParseManifest reads a manifest. Its error names every key that is wrong.
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return m, err
	}
	return m, m.check()
}

func (m Manifest) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	in := m.Input
	if in.Height < 0 || in.Height > maxSide || in.Width < 0 || in.Width > maxSide {
		wrong("input: %d x %d is not a size from 1 to %d", in.Height, in.Width, maxSide)
	}
	if in.Channels != 0 && in.Channels != 1 && in.Channels != 3 {
		wrong("input.channels: %d is not 1 (gray) or 3", in.Channels)
	}
	if !oneOf(in.Layout, "", "NHWC", "NCHW") {
		wrong("input.layout: %q is not NHWC or NCHW", in.Layout)
	}
	if !oneOf(in.Order, "", "RGB", "BGR") {
		wrong("input.order: %q is not RGB or BGR", in.Order)
	}
	m.Resize.check(wrong)
	if m.Scale < 0 || math.IsNaN(m.Scale) || math.IsInf(m.Scale, 0) {
		wrong("scale: %g is not a positive number", m.Scale)
	}
	m.checkNorm(wrong)
	if !oneOf(m.Output.Kind, "", outputProbabilities, outputLogits) {
		wrong("output: %q is not probabilities or logits", m.Output.Kind)
	}
	if digits, ok := strings.CutPrefix(m.Digest, "sha256:"); m.Digest != "" && (!ok || len(digits) != 64) {
		wrong("digest: %q is not sha256: and 64 hexadecimal digits", m.Digest)
	}
	if len(m.Labels) > maxLabels {
		wrong("labels: %d are more than %d", len(m.Labels), maxLabels)
	}
	seen := map[string]bool{}
	for i, l := range m.Labels {
		if l == "" || seen[l] {
			wrong("labels: number %d, %q, is empty or there twice", i+1, l)
		}
		seen[l] = true
	}
	return errors.Join(errs...)
}

func (r Resize) check(wrong func(string, ...any)) {
	if r.Filter != "" && !oneOf(r.Filter, filterNames...) {
		wrong("resize.filter: %q is not one of %s", r.Filter, strings.Join(filterNames, ", "))
	}
	if r.KeepAspect && strings.HasPrefix(r.Filter, "keras-") {
		wrong("resize.keep_aspect: true is not supported with %s: take a filter of Pillow's", r.Filter)
	}
	r.Fill.check(wrong)
	if !oneOf(r.Pad, "", padBefore, padAfter) {
		wrong("resize.pad: %q is not %s or %s", r.Pad, padBefore, padAfter)
	}
	if r.Pad != "" && !r.KeepAspect {
		wrong("resize.pad: %s needs keep_aspect: true", r.Pad)
	}
}

// checkNorm checks what is done to each channel. Where the manifest leaves the
// number of channels to the model, it is checked again when that is known.
func (m Manifest) checkNorm(wrong func(string, ...any)) {
	check := func(key string, values []float64, low float64) {
		if n := len(values); n > 1 && n != 3 || n == 3 && m.Input.Channels == 1 {
			wrong("%s: %d numbers, expected one, or one per channel", key, n)
		}
		for _, v := range values {
			if math.IsInf(v, 0) || !(v > low) {
				wrong("%s: %g is not a number above %g", key, v, low)
			}
		}
	}
	check("mean", m.Mean, math.Inf(-1))
	check("std", m.Std, 0)
}

func oneOf(s string, list ...string) bool { return slices.Contains(list, s) }

// orDefaults fills in what the original system took for granted.
func (m Manifest) orDefaults() Manifest {
	in := &m.Input
	if in.Height == 0 {
		in.Height = 224
	}
	if in.Width == 0 {
		in.Width = 224
	}
	if in.Channels == 0 {
		in.Channels = 3
	}
	if in.Order == "" {
		in.Order = "RGB"
	}
	if m.Resize.Filter == "" {
		m.Resize.Filter = filterNearest
	}
	if m.Scale == 0 {
		m.Scale = 1.0 / 255
	}
	if m.Output.Kind == "" {
		m.Output.Kind = outputProbabilities
	}
	m.preparation = m.digestOfPreparation()
	return m
}

// Preparation gives "sha256:" and the digest of everything that the manifest
// says of the preparation of images, defaults included: two models with the
// same one get the same numbers of an image. It is empty where the model was not
// opened.
func (m *Manifest) Preparation() string { return m.preparation }

// digestOfPreparation is over the manifest's YAML without what does not touch
// the image, so that a key which is added to the manifest counts.
func (m Manifest) digestOfPreparation() string {
	m.Name, m.Version, m.File, m.Digest, m.Output = "", "", "", "", Output{}
	m.Labels, m.Train, m.Metrics = nil, nil, nil
	m.Input.Layout = "" // the order in memory, not the values
	text, err := yaml.Marshal(m)
	if err != nil {
		return "" // numbers and text have a form in YAML
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// labelsFor settles a model's labels by its number of outputs.
func (m *Manifest) labelsFor(outputs int) error {
	if len(m.Labels) == 0 {
		if text, err := fs.ReadFile(files, "ifcb/classes.txt"); err == nil { // the original's
			if classes, err := ParseLabels(string(text)); err == nil && outputs == len(classes) {
				m.Labels = classes
				return nil
			}
		}
		return fmt.Errorf("the model has %d outputs and nothing names them: give it a manifest with labels, or a labels.txt or MODEL.classes beside it", outputs)
	}
	if len(m.Labels) != outputs {
		return fmt.Errorf("the model has %d outputs, its manifest %d labels", outputs, len(m.Labels))
	}
	return nil
}
