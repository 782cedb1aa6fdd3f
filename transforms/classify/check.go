package classify

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

var _ connector.Checker = (*Transform)(nil)

// blankSize is that of the image that models are tried with, pixels.
const blankSize = 32

// Check has the model classify a blank image: the file, or its server, gives as many
// probabilities as there are labels, and has the classes of thresholds.
func (t *Transform) Check(ctx context.Context, _ connector.Context, conf connector.Config, found func(connector.Finding)) {
	f := connector.Finding{What: "model " + serving.Redact(strings.Join(append([]string{conf.String("model")}, conf.List("ensemble")...), ", "))}
	defer func() { found(f) }()
	var blank bytes.Buffer
	if f.Err = png.Encode(&blank, image.NewGray(image.Rect(0, 0, blankSize, blankSize))); f.Err != nil {
		return
	}
	got := t.model.Classify(ctx, [][]byte{blank.Bytes()})[0]
	if f.Err = got.Err; f.Err != nil {
		return
	}
	f.Says = got.Model
	if got.By != nil {
		f.Says += fmt.Sprintf(", %d classes", len(got.By.Labels))
	}
	f.Err = t.judge(&got)
}
