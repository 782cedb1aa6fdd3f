package carbon

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/fields"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// Version is what the transform reports.
const Version = "1.0.0"

const (
	formulaCorrect = "menden-deuer-lessard"
	formulaSeed    = "seed"
)

var (
	_ connector.Transform = (*Transform)(nil)
	_ connector.Validator = (*Transform)(nil)
)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform adds the fields carbon (pg C, float64) and hab (boolean) to a struct
// or map with a class and a biovolume. Where the biovolume is null, carbon is.
type Transform struct {
	formula       func(um3 float64, diatom bool) float64
	class, volume string
	diatoms, hab  classes
	added         *fields.Fields
	log           *slog.Logger
	// known are classes that need no warning; unknown ones were warned of.
	known, unknown classes
}

// mostWarnings bounds the classes that are warned of: a field that holds no class at all has a new one in each record.
const mostWarnings = 100

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "carbon", Version: Version, Doc: "Adds the carbon content of a cell and whether its class is a harmful alga."}
}

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "formula", Type: connector.StringKey, Default: formulaCorrect, Check: connector.OneOf(formulaCorrect, formulaSeed),
			Doc: "menden-deuer-lessard is the published relation with its size classes; seed is the original's, whose coefficients are wrong, for comparison with its tables."},
		connector.Key{Name: "diatom.equation", Type: connector.StringKey, Default: imaging.DiatomsAuto,
			Check: connector.OneOf(imaging.DiatomsAuto, imaging.DiatomsAll, imaging.DiatomsLarge, imaging.DiatomsWHOI),
			Doc: "Which of the published relations counts for a diatom; pg C at 1000 and at 3000 um^3. auto: that of all sizes up to 3000 um^3 and that of large diatoms above (78.0, 190.1), as iRfcb's auto. " +
				"all: that of all sizes (78.0, 190.1), as iRfcb's all. large: that of large diatoms (51.3, 135.0), iRfcb's default. " +
				"whoi: that of other protists below 3000 um^3 and that of large diatoms from there on (141.9, 135.0), as WHOI's ifcb-analysis. With formula=menden-deuer-lessard."},
		connector.Key{Name: "diatoms", Type: connector.StringKey, Path: true,
			Doc: "File that lists the classes that are diatoms, one a line; # begins a comment, and a genus stands for its species (Chaetoceros for Chaetoceros_socialis). The default is the original's list, ifcb/diatoms.txt."},
		connector.Key{Name: "hab", Type: connector.StringKey, Path: true,
			Doc: "File that lists the classes that are harmful algae, in the same form. The default is the original's list, ifcb/hab.txt."},
		connector.Key{Name: "classes", Type: connector.StringKey, Path: true,
			Doc: "File that lists other classes, in the same form: one that is on none of the three lists is warned of. The default is the original's list, ifcb/classes.txt."},
		connector.Key{Name: "class.field", Type: connector.StringKey, Default: "name", Check: connector.NotEmpty, Doc: "Field that holds the class."},
		connector.Key{Name: "biovolume.field", Type: connector.StringKey, Default: "biovolume", Check: connector.NotEmpty, Doc: "Field that holds the biovolume in um^3."},
	)
}

// Validate finds a choice that would choose nothing.
func (*Transform) Validate(conf connector.Config, p *connector.Problems) {
	if equation := conf.String("diatom.equation"); conf.String("formula") == formulaSeed && conf.Given("diatom.equation") {
		p.Add("diatom.equation", "%s", connector.Invalid("diatom.equation", equation, "formula=seed has one relation for diatoms: leave one of the two out"))
	}
}

// Configure reads the lists.
func (t *Transform) Configure(ctx connector.Context, conf connector.Config) error {
	equation := conf.String("diatom.equation")
	t.formula = func(um3 float64, diatom bool) float64 { return imaging.CarbonBy(equation, um3, diatom) }
	if conf.String("formula") == formulaSeed {
		t.formula = imaging.CarbonSeed
	}
	t.class, t.volume = conf.String("class.field"), conf.String("biovolume.field")
	t.added = fields.New(
		connector.F("carbon", connector.OptionalFloat64Schema.WithDoc("Carbon content, pg C.")),
		connector.F("hab", connector.BooleanSchema.WithDoc("Whether the class is a harmful alga.")),
	)
	var err error
	if t.diatoms, err = list(conf.String("diatoms"), "ifcb/diatoms.txt"); err != nil {
		return fmt.Errorf("diatoms: %w", err)
	}
	if t.hab, err = list(conf.String("hab"), "ifcb/hab.txt"); err != nil {
		return fmt.Errorf("hab: %w", err)
	}
	if t.known, err = list(conf.String("classes"), "ifcb/classes.txt"); err != nil {
		return fmt.Errorf("classes: %w", err)
	}
	t.log, t.unknown = ctx.Log, classes{}
	return nil
}

// warn says once of a class that neither it nor its genus is on any list: it may be misspelt, or a diatom that has to
// be listed.
func (t *Transform) warn(class string) {
	if t.diatoms.has(class) || t.hab.has(class) || t.known.has(class) || t.unknown[class] || len(t.unknown) == mostWarnings {
		return
	}
	t.unknown[class] = true
	t.log.Warn("class is on no list: its carbon is that of a protist that is no diatom, and it counts as harmless; add it to the file of diatoms or hab if it is not, else of classes",
		"class", class)
}

// classes is a list of class names.
type classes map[string]bool

// list reads a file of names, or the embedded default.
func list(path, fallback string) (classes, error) {
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	if path == "" {
		open = func() (io.ReadCloser, error) { return configs.FS.Open(fallback) }
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	names := classes{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, _, _ := strings.Cut(lines.Text(), "#")
		if name = strings.TrimSpace(name); name != "" {
			names[name] = true
		}
	}
	return names, lines.Err()
}

// has tells whether a class is on the list, or its first word, up to a _ or
// space, is: a genus stands for its species.
func (c classes) has(class string) bool {
	if c[class] {
		return true
	}
	i := strings.IndexAny(class, "_ ")
	return i > 0 && c[class[:i]]
}

// Apply adds carbon and hab to one record. A null value passes as it is.
func (t *Transform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if r.Value == nil {
		return r, true, nil
	}
	out, err := t.add(r)
	return out, err == nil, connector.Data(err)
}

func (t *Transform) add(r connector.Record) (connector.Record, error) {
	in, err := fields.Of(r.Value)
	if err != nil {
		return r, err
	}
	carbon, hab, err := t.compute(in.Get(t.class), in.Get(t.volume))
	if err != nil {
		return r, err
	}
	return t.added.Record(r, []any{carbon, hab})
}

// compute gives carbon (nil for no volume) and hab.
func (t *Transform) compute(class, volume any) (carbon any, hab bool, err error) {
	name, ok := class.(string)
	if !ok {
		return nil, false, fmt.Errorf("field %s: expected the class as a string, got %T: transform classify gives it, and must come before carbon", t.class, class)
	}
	hab = t.hab.has(name)
	t.warn(name)
	if volume == nil {
		return nil, hab, nil
	}
	v, ok := fields.Float64(volume)
	if !ok {
		return nil, false, fmt.Errorf("field %s: expected a number, got %T: transform biovolume gives it, and must come before carbon", t.volume, volume)
	}
	if !(v > 0) || math.IsInf(v, 1) {
		return nil, false, fmt.Errorf("field %s: %g um^3 is not the volume of a cell", t.volume, v)
	}
	return t.formula(v, t.diatoms.has(name)), hab, nil
}
