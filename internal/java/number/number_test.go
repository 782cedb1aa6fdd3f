package number

import (
	"math"
	"math/big"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestNarrowing(t *testing.T) {
	for name, c := range map[string]struct {
		value any
		n32   int32
		n64   int64
	}{
		"wraps":                   {int64(1)<<32 + 5, 5, 1<<32 + 5},
		"a float is cut off":      {-1.9, -1, -1},
		"a large float saturates": {1e300, math.MaxInt32, math.MaxInt64},
		"NaN":                     {math.NaN(), 0, 0},
		"a decimal is cut off":    {connector.NewDecimal(-199, 2), -1, -1},
		"a tiny decimal":          {connector.NewDecimal(1, math.MaxInt32), 0, 0},
		"a huge decimal":          {connector.NewDecimal(1, math.MinInt32), 0, 0},
		"a large integer wraps":   {new(big.Int).Lsh(big.NewInt(3), 64), 0, 0},
	} {
		n32, ok := Int32(c.value)
		n64, ok64 := Int64(c.value)
		if !ok || !ok64 || n32 != c.n32 || n64 != c.n64 {
			t.Errorf("%s: %d %d, want %d %d", name, n32, n64, c.n32, c.n64)
		}
	}
	if _, ok := Int64("1"); ok {
		t.Error("a text is a number")
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]float64{" 12 ": 12, "1d": 1, "0x1.8p1": 3, "-Infinity": math.Inf(-1), "1e999": math.Inf(1), ".5f": .5} {
		if f, ok := ParseFloat(text, 64); !ok || f != want {
			t.Errorf("%q: %v %v, want %v", text, f, ok, want)
		}
	}
	for _, text := range []string{"", "inf", "nan", "1_0", "0x10", "1dd", "."} {
		if f, ok := ParseFloat(text, 64); ok {
			t.Errorf("%q is %v", text, f)
		}
	}
	for text, want := range map[string]int64{"+12": 12, "-٣": -3} {
		if n, ok := ParseInt(text, 8); !ok || n != want {
			t.Errorf("%q: %d %v, want %d", text, n, ok, want)
		}
	}
	for text, want := range map[string]connector.Decimal{"1.50": connector.NewDecimal(150, 2), "-1e3": connector.NewDecimal(-1, -3), ".5": connector.NewDecimal(5, 1)} {
		if d, ok := ParseDecimal(text); !ok || !d.Equal(want) {
			t.Errorf("%q: %v %v, want %v", text, d, ok, want)
		}
	}
	for _, text := range []string{"", ".", "e1", "1 ", "1e99999999999", "0x1"} {
		if d, ok := ParseDecimal(text); ok {
			t.Errorf("%q is %v", text, d)
		}
	}
	for f, want := range map[float64]connector.Decimal{1: connector.NewDecimal(10, 1), 1e7: connector.NewDecimal(10, -6), 0.05: connector.NewDecimal(5, 2)} {
		if d, err := DecimalOf(f); err != nil || !d.Equal(want) {
			t.Errorf("%v: %v %v, want %v", f, d, err, want)
		}
	}
	if _, err := DecimalOf(math.NaN()); err == nil {
		t.Error("NaN is a decimal")
	}
}
