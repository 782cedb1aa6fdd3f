package ifcbproducts

import (
	"fmt"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// image is what the products need of a record.
type image struct {
	id       ifcb.TargetID
	measured imaging.ResultV4   // where features or blobs are wanted
	scores   map[string]float32 // where class scores are wanted
	model    string
	at       time.Time
}

// image reads a record and measures its image.
func (s *Sink) image(analyser *imaging.Analyser, r connector.Record) (img image, err error) {
	value, err := fields.Of(r.Value)
	if err != nil {
		return img, err
	}
	if img.id, err = identify(value, r.Key); err != nil {
		return img, err
	}
	if s.scored {
		if img.scores, err = probabilities(value.Get(s.field.scores)); err != nil {
			return img, fmt.Errorf("field %s: %w", s.field.scores, err)
		}
		img.model, _ = value.Get(s.field.classifier).(string)
		if seconds, ok := fields.Int64(value.Get(s.field.time)); ok {
			img.at = time.Unix(seconds, 0)
		}
	}
	if s.folder.Images() {
		data, err := fields.Image(value.Get(s.field.image))
		if err != nil {
			return img, fmt.Errorf("field %s: %w", s.field.image, err)
		}
		gray, err := imaging.DecodePNG(data)
		if err != nil {
			return img, fmt.Errorf("field %s: %w", s.field.image, err)
		}
		if img.measured, err = analyser.AnalyseV4(gray); err != nil {
			return img, fmt.Errorf("field %s: %w", s.field.image, err)
		}
	}
	return img, nil
}

// identify says which image of which bin a record has: by its fields pid and roi, or by its key, as the source ifcb
// writes them.
func identify(value fields.Reader, key any) (ifcb.TargetID, error) {
	pid, named := value.Get("pid").(string)
	roi, numbered := fields.Int64(value.Get("roi"))
	if !named || !numbered {
		text, ok := key.(string)
		if !ok {
			return ifcb.TargetID{}, fmt.Errorf("no fields pid and roi, and the key is a %T and no image's name: set key.converter to string", key)
		}
		return ifcb.ParseTargetID(text)
	}
	bin, err := ifcb.ParseBinID(pid)
	if err == nil && (roi < 1 || roi > 1<<31-1) {
		err = fmt.Errorf("%d is not a line of an .adc file", roi)
	}
	return bin.Target(int(roi)), err
}

// probabilities reads the scores of a classification.
func probabilities(v any) (map[string]float32, error) {
	entries, ok := v.(map[string]any)
	if !ok || len(entries) == 0 {
		return nil, fmt.Errorf("expected a probability of each class, got %s: set scores.field of the transform classify", kind(v))
	}
	scores := make(map[string]float32, len(entries))
	for class, p := range entries {
		number, ok := fields.Float64(p)
		if !ok {
			return nil, fmt.Errorf("class %s: expected a number, got %s", class, kind(p))
		}
		scores[class] = float32(number)
	}
	return scores, nil
}

func kind(v any) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%T", v)
}
