package ifcb_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// clock is what an .adc line of a new instrument tells of time, in seconds.
type clock struct{ trigger, run, inhibit float64 }

// triggers makes the lines of so many triggers, 11.9 s apart, each of which keeps the instrument busy for 0.0863 s.
func triggers(n int, change ...func(i int, c *clock)) string {
	var adc strings.Builder
	for i := range n {
		at := 11.9 * float64(i+1)
		c := clock{at, at + 0.022, 0.0863 * float64(i)}
		for _, f := range change {
			f(i, &c)
		}
		fmt.Fprintf(&adc, "%d,%g,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,%g,%g\n", i+1, c.trigger, c.run, c.inhibit)
	}
	return adc.String()
}

// last changes the last of n lines.
func last(n int, to func(*clock)) func(int, *clock) {
	return func(i int, c *clock) {
		if i == n-1 {
			to(c)
		}
	}
}

// Witnesses of the volume that contradict each other, in the ways that instruments are known for.
func TestVolume(t *testing.T) {
	const n = 100
	shift := func(_ int, c *clock) { c.run, c.inhibit = c.run+3000, c.inhibit+50 }
	header := func(run, inhibit string) string { return "runTime: " + run + "\ninhibitTime: " + inhibit + "\n" }
	good := header("1200", "8.63")
	const fromHeader, fromADC = 0.25 * (1200 - 8.63) / 60, 0.25 * (1190.022 - 8.5437) / 60
	const shifted = 0.25 * (1190 - (58.5437 - 50.0863 - 2*0.0863)) / 60 // of the .adc whose clocks are shifted
	tests := []struct {
		name, adc, hdr string
		want           float64 // ml, 0 for unknown
		source, reason string  // part of the reason
	}{
		{"all agree", triggers(n), good, fromHeader, "header", ""},
		{"no header", triggers(n), "", fromADC, "adc", ""},
		{"last row is garbage", triggers(n, last(n, func(c *clock) { c.run, c.inhibit = 9000, 0 })), good, fromHeader, "header", ""},
		{"last row is garbage, no header", triggers(n, last(n, func(c *clock) { c.run, c.inhibit = 9000, 0 })), "", fromADC, "adc", ""},
		{"last row is garbage throughout", triggers(n, last(n, func(c *clock) { *c = clock{9000, 9000, 0} })), good, fromHeader, "header", "the .adc alone gives 37.46 ml"},
		{"last row is unreadable", triggers(n, last(n, func(c *clock) { c.run, c.inhibit = math.NaN(), math.NaN() })), "", fromADC, "adc", ""},
		{"last row is blank", triggers(n) + strings.Repeat(",", 23) + "\n", "", fromADC, "adc", ""},
		{"rows without times in between", strings.Replace(triggers(n), "\n", "\n,,,\n,,,,\n", 1), "", fromADC, "adc", ""},
		{"second row is garbage", triggers(n, func(i int, c *clock) {
			if i == 1 {
				c.run = 9000
			}
		}), "", fromADC, "adc", ""},
		{"clocks are shifted, header too", triggers(n, shift), header("9000", "100"), shifted, "adc", "the header alone gives 37.08 ml"},
		{"clocks are shifted", triggers(n, shift), good, 0.25 * (1200 - (58.5437 - 50.0863 - 2*0.0863)) / 60, "run time header, inhibit time adc", ""},
		{"header without inhibit time, last run time is garbage", triggers(n, last(n, func(c *clock) { c.run = 7689 })), "runTime: 1200\n",
			0.25 * (1200 - 8.5437) / 60, "run time header, inhibit time adc", ""},
		{"header's inhibit time is 0, the last one garbage", triggers(n, last(n, func(c *clock) { c.inhibit = -8000 })), header("1200", "0"),
			0.25 * (1200 - 8.5437) / 60, "run time header, inhibit time adc", ""},
		{"no inhibit times", triggers(n, func(_ int, c *clock) { c.inhibit = 0 }), header("1200", "400"), 0.25 * 800 / 60, "header", ""},
		{"no inhibit times, no header", triggers(n, func(_ int, c *clock) { c.inhibit = 0 }), "", 0, "", "tell the run time"},
		{"one trigger", triggers(1), header("1200", "0.09"), 0.25 * (1200 - 0.09) / 60, "header", ""},
		{"one trigger of two images", strings.Repeat("1,11.9,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,11.922,0.01\n", 2), header("1200", "0.09"), 0.25 * (1200 - 0.09) / 60, "header", ""},
		{"one trigger, no header", triggers(1), "", 0, "", "neither the header nor two triggers of the .adc tell the run time"},
		{"header's run time is a fill value", triggers(n), header("-9999999", "8.63"), 0.25 * (1190.022 - 8.63) / 60, "run time adc, inhibit time header", ""},
		{"header's run time is off", triggers(n), header("600", "8.63"), 0.25 * (1190.022 - 8.63) / 60, "run time adc, inhibit time header", "the header alone gives 2.464 ml"},
		{"header alone, inhibited throughout", "", header("1200", "1200"), 0, "", "leaves nothing of the run time"},
		{"more than the syringe", "", header("2000", "8"), 0, "", "8.3 ml are more than the syringe's 5 ml"},
		{"a larger syringe", "", header("2000", "8") + "SyringeSampleVolume: 10\n", 0.25 * 1992 / 60, "header", ""},
		{"a smaller syringe", triggers(n), good + "SyringeSampleVolume: 1.5\n", 0, "", "more than the syringe's 1.5 ml"},
		{".adc of more than the syringe beside a right header", triggers(n, func(_ int, c *clock) { c.trigger, c.run = 7*c.trigger, 7*c.run }), good, fromHeader, "header", "the .adc alone gives"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := openBin(t, "D20260102T000000_IFCB134", tt.adc, tt.hdr, "").Volume()
			if math.Abs(got.ML-tt.want) > 1e-9 || got.Source != tt.source || !strings.Contains(got.Reason, tt.reason) || (tt.reason == "") != (got.Reason == "") {
				t.Errorf("%+v, want %.6f ml from %q, reason %q", got, tt.want, tt.source, tt.reason)
			}
			_, err := openBin(t, "D20260102T000000_IFCB134", tt.adc, tt.hdr, "").MLAnalyzed()
			if (tt.want == 0) != errors.Is(err, ifcb.ErrNoVolume) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// Lines that have no run and inhibit time tell nothing; those of instrument 8 are weighed as a whole.
func TestVolumeOfOtherFiles(t *testing.T) {
	short := strings.Repeat("1,2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n", 3)
	got := openBin(t, "D20260102T000000_IFCB134", short, "runTime: 1200\ninhibitTime: 0\n", "").Volume()
	if diff := cmp.Diff(ifcb.Volume{ML: 5, Source: "header"}, got); diff != "" {
		t.Error(diff)
	}
	eight := openBin(t, "D20120102T000000_IFCB008", triggers(3), "runTime: 1200\ninhibitTime: 0.2\n", "").Volume()
	if want := 0.25 * (35.722 - 0.1726) / 60; math.Abs(eight.ML-want) > 1e-9 || eight.Source != "adc" {
		t.Errorf("instrument 8: %+v, want %g ml", eight, want)
	}
}
