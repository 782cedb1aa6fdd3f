package imaging

import (
	"math"
	"testing"
)

func TestExp(t *testing.T) {
	worst := 0.0
	for x := float64(expLow); x <= expHigh; x += 1.0 / 4093 {
		worst = max(worst, math.Abs(exp(x)/math.Exp(x)-1))
	}
	if worst > 1e-15 {
		t.Errorf("relative error %g", worst)
	}
}
