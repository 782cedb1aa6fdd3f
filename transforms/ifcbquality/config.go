package ifcbquality

import (
	"math"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	onFailFlag = "flag"
	onFailDrop = "drop"
)

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	number := func(name string, value float64, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.DoubleKey, Default: value, Doc: doc}
	}
	return connector.NewConfigDef(
		connector.Key{Name: "on.fail", Type: connector.StringKey, Default: onFailFlag, Check: connector.OneOf(onFailFlag, onFailDrop), Importance: connector.High,
			Doc: "flag: a record that fails goes on with its verdict. drop: it is left out, and counted as dropped."},
		number("volume.min.ml", 0.5, "The least volume of a sample, ml. An unknown volume fails, too."),
		number("volume.max.ml", 5.1, "The largest volume of a sample, ml."),
		number("run.time.min.s", 60, "The shortest run, s."),
		number("run.time.max.s", 3600, "The longest run, s."),
		connector.Key{Name: "other.runs", Type: connector.BooleanKey, Default: false,
			Doc: "Whether runs that are no samples of the water pass: beads, tests, cultures and the like."},
		number("humidity.min", 0, "The least relative humidity in the instrument, %."),
		number("humidity.max", 80, "The highest relative humidity in the instrument, %: more may be a leak."),
		number("temperature.min", -2, "The lowest temperature in the instrument, degrees Celsius."),
		number("temperature.max", 50, "The highest temperature in the instrument, degrees Celsius."),
		connector.Key{Name: "failed.max.ratio", Type: connector.DoubleKey, Default: 0.05, Check: connector.Between(0, 1),
			Doc: "The largest part of a bin's images that may be missing."},
		connector.Key{Name: "clock.max.s", Type: connector.DoubleKey, Default: 300., Check: connector.AtLeast(0),
			Doc: "By how many seconds the instrument's clock may differ from the bin's name, or the satellites'."},
		connector.Key{Name: "image.field", Type: connector.StringKey, Default: "image", Check: connector.NotEmpty,
			Doc: "Field that holds the image, a PNG as bytes or in base64."},
		connector.Key{Name: "contrast.min", Type: connector.DoubleKey, Default: 0., Check: connector.AtLeast(0),
			Doc: "The least standard deviation of an image's grey values (0 to 255): below, it is empty. 0 checks none."},
		connector.Key{Name: "focus.min", Type: connector.DoubleKey, Default: 0., Check: connector.AtLeast(0),
			Doc: "The least variance of the Laplacian of an image's grey values: below, it is out of focus. It depends on camera and catch: look at your own images first. 0 checks none."},
	)
}

// Validate finds ranges that hold nothing.
func (*Transform) Validate(conf connector.Config, p *connector.Problems) {
	for _, pair := range [][2]string{{"volume.min.ml", "volume.max.ml"}, {"run.time.min.s", "run.time.max.s"}, {"humidity.min", "humidity.max"}, {"temperature.min", "temperature.max"}} {
		if least, most := conf.Float64(pair[0]), conf.Float64(pair[1]); !(least <= most) || math.IsInf(least, 0) {
			p.Add(pair[1], "%s", connector.Invalid(pair[1], most, "it is below "+pair[0]))
		}
	}
}
