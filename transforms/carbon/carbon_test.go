package carbon

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

var schema = connector.StructOf("s", connector.F("name", connector.StringSchema), connector.F("biovolume", connector.OptionalFloat64Schema))

func cell(name string, volume any) connector.Record {
	s := connector.NewStruct(schema).Set("name", name)
	if volume != nil {
		s.Set("biovolume", volume)
	}
	return connector.NewRecord("t", nil, nil, schema, s)
}

func TestTransform(t *testing.T) {
	connectortest.Transform(t, connectortest.TransformCase{
		New: func() connector.Transform { return new(Transform) },
		Records: []connector.Record{cell("Ciliates", 1000.0), cell("Pseudo-nitzschia", nil), cell("x", 0.0), cell("x", math.NaN()),
			connector.NewRecord("t", nil, nil, nil, map[string]any{"name": "x", "biovolume": 5.5})},
	})
}

func configured(t *testing.T, props connector.Props) *Transform {
	t.Helper()
	tr := new(Transform)
	if err := tr.Configure(connectortest.Context(t), connectortest.Configure(t, tr, props)); err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestRelations checks the paper's relations at points that were computed apart
// from this code, and the two that the original had.
func TestRelations(t *testing.T) {
	tests := []struct {
		formula, class string
		volume, carbon float64
		hab            bool
	}{
		{formulaCorrect, "Ciliates", 1000, 141.905752168909, false},
		{formulaCorrect, "Pseudo-nitzschia", 1000, 77.983011052326, true},
		{formulaCorrect, "Pennate", 3000, 190.083901599368, false},
		{formulaCorrect, "Pennate", 3000.001, 135.003166, false},
		{formulaCorrect, "Chaetoceros_socialis", 1000, 77.983011052326, false}, // its genus is listed
		{formulaCorrect, "Dinophysis acuminata", 1000, 141.905752168909, true},
		{formulaCorrect, "Pennates", 1000, 141.905752168909, false},
		{formulaCorrect, "_Pennate", 1000, 141.905752168909, false},
		{formulaCorrect, "nobody knows", 1000, 141.905752168909, false},
		{formulaSeed, "Pennate", 1000, 141.905752168909, false},
		{formulaSeed, "Dinophysis", 1000, 44.668359215096, true},
	}
	for _, tt := range tests {
		out, keep, err := configured(t, connector.Props{"formula": tt.formula}).Apply(context.Background(), cell(tt.class, tt.volume))
		if err != nil || !keep {
			t.Errorf("%s: %v", tt.class, err)
			continue
		}
		s := out.Value.(*connector.Struct)
		carbon, _ := s.Get("carbon")
		hab, _ := s.Get("hab")
		if math.Abs(carbon.(float64)/tt.carbon-1) > 1e-5 || hab != tt.hab {
			t.Errorf("%s %s of %g um^3: %v pg, hab %v; want %g, %v", tt.formula, tt.class, tt.volume, carbon, hab, tt.carbon, tt.hab)
		}
	}
}

// TestDiatomEquations checks each choice at both sides of its border, to 1e-6 of its relation.
func TestDiatomEquations(t *testing.T) {
	relation := func(a, b float64) func(float64) float64 {
		return func(v float64) float64 { return math.Exp(math.Ln10*a + b*math.Log(v)) }
	}
	protists, all, large := relation(-0.665, 0.939), relation(-0.541, 0.811), relation(-0.933, 0.881)
	for equation, by := range map[string]func(v float64) func(float64) float64{
		"": func(v float64) func(float64) float64 {
			return map[bool]func(float64) float64{true: large, false: all}[v > 3000]
		},
		"auto": func(v float64) func(float64) float64 {
			return map[bool]func(float64) float64{true: large, false: all}[v > 3000]
		},
		"all":   func(float64) func(float64) float64 { return all },
		"large": func(float64) func(float64) float64 { return large },
		"whoi": func(v float64) func(float64) float64 {
			return map[bool]func(float64) float64{true: large, false: protists}[v >= 3000]
		},
	} {
		props := connector.Props{"diatom.equation": equation}
		if equation == "" {
			props = nil
		}
		tr := configured(t, props)
		for _, v := range []float64{0.5, 1000, 2999.999, 3000, 3000.001, 1e6} {
			for class, want := range map[string]float64{"Pennate": by(v)(v), "Ciliates": protists(v)} {
				got, _, err := tr.compute(class, v)
				if carbon, _ := got.(float64); err != nil || math.Abs(carbon/want-1) > 1e-6 {
					t.Errorf("%q %s of %g um^3: %v pg, %v, want %g", equation, class, v, got, err, want)
				}
			}
		}
	}
	if _, err := connector.ParsePlugin(new(Transform), connector.Props{"formula": "seed", "diatom.equation": "whoi"}); err == nil || !strings.Contains(err.Error(), "one relation for diatoms") {
		t.Errorf("with the original's formula: %v", err)
	}
}

// TestGeneraLeaveTheOriginalsClassesAlone: no class of the original is on a list by its first word only.
func TestGeneraLeaveTheOriginalsClassesAlone(t *testing.T) {
	tr := configured(t, nil)
	all, err := list("", "ifcb/classes.txt")
	if err != nil || len(all) != 50 {
		t.Fatalf("%d classes, %v", len(all), err)
	}
	for class := range all {
		if tr.diatoms.has(class) != tr.diatoms[class] || tr.hab.has(class) != tr.hab[class] {
			t.Errorf("%s", class)
		}
	}
}

func TestWarnsOnceOfAClassThatNoListKnows(t *testing.T) {
	var log bytes.Buffer
	tr := new(Transform)
	ctx := connectortest.Context(t)
	ctx.Log = slog.New(slog.NewTextHandler(&log, nil))
	if err := tr.Configure(ctx, connectortest.Configure(t, tr, nil)); err != nil {
		t.Fatal(err)
	}
	add := func(class string) {
		if _, _, err := tr.Apply(context.Background(), cell(class, 10.0)); err != nil {
			t.Fatal(err)
		}
	}
	// On a list, on one by its genus, and a class of the original's that is on neither list.
	for _, class := range []string{"Pennate", "Chaetoceros_socialis", "Dinophysis acuminata", "Ciliates"} {
		add(class)
	}
	if log.Len() > 0 {
		t.Errorf("warned of known classes: %s", &log)
	}
	add("Chaetocerus")
	add("Chaetocerus")
	if strings.Count(log.String(), "class=Chaetocerus") != 1 || strings.Count(log.String(), "level=WARN") != 1 {
		t.Errorf("log %s", &log)
	}
	for i := range 2 * mostWarnings {
		add(fmt.Sprint(i))
	}
	if n := strings.Count(log.String(), "level=WARN"); n != mostWarnings {
		t.Errorf("%d warnings", n)
	}
}

func TestNoVolumeNoCarbon(t *testing.T) {
	out, keep, err := configured(t, nil).Apply(context.Background(), cell("Dinophysis", nil))
	if err != nil || !keep {
		t.Fatalf("%v %v", keep, err)
	}
	if s := out.Value.(*connector.Struct); s.At(2) != nil || s.At(3) != true {
		t.Errorf("%v", s.Values())
	}
	_, _, err = configured(t, nil).Apply(context.Background(), cell("x", 0.0))
	if err == nil || !strings.Contains(err.Error(), "field biovolume: 0 um^3") {
		t.Errorf("no volume: %v", err)
	}
}

func TestListsFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hab.txt")
	if err := os.WriteFile(file, []byte("# mine\n\nNew alga # found here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tr := configured(t, connector.Props{"hab": file})
	if len(tr.hab) != 1 || !tr.hab["New alga"] || len(tr.diatoms) != 19 {
		t.Errorf("lists %v, %d diatoms", tr.hab, len(tr.diatoms))
	}
	fresh := new(Transform)
	conf := connectortest.Configure(t, fresh, connector.Props{"hab": file + "x"})
	if err := fresh.Configure(connectortest.Context(t), conf); err == nil || !strings.Contains(err.Error(), "hab: open") {
		t.Errorf("missing file: %v", err)
	}
}
