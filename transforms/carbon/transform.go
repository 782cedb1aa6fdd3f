package carbon

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"strings"
	"sync"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/connector"
)

// Version is what the transform reports.
const Version = "1.0.0"

const (
	formulaCorrect = "menden-deuer-lessard"
	formulaSeed    = "seed"
)

var _ connector.Transform = (*Transform)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(Transform) }) }

// Transform adds the fields carbon (pg C, float64) and hab (boolean) to a struct
// or map with a class and a biovolume. Where the biovolume is null, carbon is.
type Transform struct {
	formula       func(volume float64, isDiatom bool) float64
	class, volume string
	diatoms, hab  map[string]bool

	mu      sync.Mutex
	schemas map[*connector.Schema]*connector.Schema // by identity
}

// Info describes the plugin.
func (*Transform) Info() connector.Info {
	return connector.Info{Name: "carbon", Version: Version, Doc: "Adds the carbon content of a cell and whether its class is a harmful alga."}
}

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "formula", Type: connector.StringKey, Default: formulaCorrect, Check: connector.OneOf(formulaCorrect, formulaSeed),
			Doc: "menden-deuer-lessard is the published relation with its size classes; seed is the original's, whose coefficients are wrong, for comparison with its tables."},
		connector.Key{Name: "diatoms", Type: connector.StringKey, Path: true,
			Doc: "File that lists the classes that are diatoms, one a line; # begins a comment. The default is the original's list, ifcb/diatoms.txt."},
		connector.Key{Name: "hab", Type: connector.StringKey, Path: true,
			Doc: "File that lists the classes that are harmful algae. The default is the original's list, ifcb/hab.txt."},
		connector.Key{Name: "class.field", Type: connector.StringKey, Default: "name", Check: connector.NotEmpty, Doc: "Field that holds the class."},
		connector.Key{Name: "biovolume.field", Type: connector.StringKey, Default: "biovolume", Check: connector.NotEmpty, Doc: "Field that holds the biovolume in um^3."},
	)
}

// Configure reads the lists.
func (t *Transform) Configure(_ connector.Context, conf connector.Config) error {
	t.formula = Correct
	if conf.String("formula") == formulaSeed {
		t.formula = Seed
	}
	t.class, t.volume = conf.String("class.field"), conf.String("biovolume.field")
	t.schemas = map[*connector.Schema]*connector.Schema{}
	var err error
	if t.diatoms, err = list(conf.String("diatoms"), "ifcb/diatoms.txt"); err != nil {
		return fmt.Errorf("diatoms: %w", err)
	}
	if t.hab, err = list(conf.String("hab"), "ifcb/hab.txt"); err != nil {
		return fmt.Errorf("hab: %w", err)
	}
	return nil
}

// list reads a file of names, or the embedded default.
func list(path, fallback string) (map[string]bool, error) {
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	if path == "" {
		open = func() (io.ReadCloser, error) { return configs.FS.Open(fallback) }
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	names := map[string]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, _, _ := strings.Cut(lines.Text(), "#")
		if name = strings.TrimSpace(name); name != "" {
			names[name] = true
		}
	}
	return names, lines.Err()
}

// Apply adds carbon and hab to one record.
func (t *Transform) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	switch v := r.Value.(type) {
	case *connector.Struct:
		out, err := t.intoStruct(v)
		if err != nil {
			return r, false, connector.Data(err)
		}
		r.ValueSchema, r.Value = out.Schema(), out
		return r, true, nil
	case map[string]any:
		carbon, hab, err := t.compute(v[t.class], v[t.volume])
		if err != nil {
			return r, false, connector.Data(err)
		}
		m := maps.Clone(v)
		m["carbon"], m["hab"] = carbon, hab
		r.Value = m
		return r, true, nil
	case nil:
		return r, true, nil
	}
	return r, false, connector.Data(fmt.Errorf("value is a %T, expected a struct or map", r.Value))
}

func (t *Transform) intoStruct(s *connector.Struct) (*connector.Struct, error) {
	class, _ := s.Get(t.class)
	volume, _ := s.Get(t.volume)
	carbon, hab, err := t.compute(class, volume)
	if err != nil {
		return nil, err
	}
	schema, err := t.schema(s.Schema())
	if err != nil {
		return nil, err
	}
	n := len(s.Values())
	values := append(s.Values()[:n:n], carbon, hab)
	return connector.StructFrom(schema, values), nil
}

// compute gives carbon (nil for no volume) and hab.
func (t *Transform) compute(class, volume any) (carbon any, hab bool, err error) {
	name, ok := class.(string)
	if !ok {
		return nil, false, fmt.Errorf("field %s: expected the class as a string, got %T: transform classify gives it, and must come before carbon", t.class, class)
	}
	hab = t.hab[name]
	var v float64
	switch x := volume.(type) {
	case nil:
		return nil, hab, nil
	case float64:
		v = x
	case float32:
		v = float64(x)
	default:
		return nil, false, fmt.Errorf("field %s: expected a number, got %T: transform biovolume gives it, and must come before carbon", t.volume, volume)
	}
	if !(v > 0) || math.IsInf(v, 1) {
		return nil, false, fmt.Errorf("field %s: %g um^3 is not the volume of a cell", t.volume, v)
	}
	return t.formula(v, t.diatoms[name]), hab, nil
}

var (
	carbonSchema = connector.OptionalFloat64Schema.WithDoc("Carbon content, pg C.")
	habSchema    = connector.BooleanSchema.WithDoc("Whether the class is a harmful alga.")
)

// maxSchemas bounds the cache; a source may make a schema per record.
const maxSchemas = 64

// schema gives a schema with the two fields more, made once per schema.
func (t *Transform) schema(s *connector.Schema) (*connector.Schema, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if made, ok := t.schemas[s]; ok {
		return made, nil
	}
	n := len(s.Fields())
	made, err := s.WithFields(append(s.Fields()[:n:n], connector.F("carbon", carbonSchema), connector.F("hab", habSchema)))
	if err != nil {
		return nil, err
	}
	if len(t.schemas) >= maxSchemas {
		clear(t.schemas)
	}
	t.schemas[s] = made
	return made, nil
}
