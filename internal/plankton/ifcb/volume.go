package ifcb

import (
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	v2FlowRate = 0.25             // ml per minute, the sample syringe of instruments 7 and up
	v1FlowRate = 40 * 5. / 48000. // ml per second: 40 steps per second, 5 ml in 48000 steps

	// usualSyringe is the volume of a sample in ml where the header tells none.
	usualSyringe = 5
	// agree is by how much two witnesses of a quantity may differ, as a part of the second.
	agree = 0.02
)

// ErrNoVolume marks a bin whose files do not tell the volume that was analysed.
var ErrNoVolume = errors.New("volume analysed is unknown")

// Volume is the water that the instrument looked at while it took a bin: flow rate times the time it was not busy with an
// image.
type Volume struct {
	ML     float64 // 0 when unknown
	Source string  // who told: header, adc, or each its part; empty when unknown
	Reason string  // why it is unknown, or who says another thing
}

// MLAnalyzed is the volume of water in ml. It is never 0: a bin whose files give none has an error that is [ErrNoVolume]
// and says why.
func (b *Bin) MLAnalyzed() (float64, error) {
	v := b.Volume()
	if v.ML == 0 {
		return 0, fmt.Errorf("%w: %s", ErrNoVolume, v.Reason)
	}
	return v.ML, nil
}

// Volume weighs what the files tell of the volume of water.
//
// New instruments: 0.25 ml/min * (run time - inhibit time). Header and .adc are two witnesses of each time: the header's
// counts where it is within 2 % of the .adc's, or where the .adc tells none, else the .adc's. What cannot be, such as
// more water than the syringe holds, is not believed: then a witness counts alone, if it can be right. Old ones: run
// time less processing times, from the .adc (as in the volume functions of WHOI's ifcb-analysis).
func (b *Bin) Volume() Volume {
	limit := syringe(b.Header) * (1 + agree)
	if b.ID.Schema() == SchemaV1 {
		return v1Volume(b.ID, b.Targets, limit)
	}
	header, adc := headerTimes(b.Header), adcTimes(b.Targets)
	chosen := chooseTimes(header, adc)
	if b.ID.Instrument() == 8 { // its .adc has its own habits: the two are weighed as a whole
		adc = lastTimes(b.Targets)
		if chosen = adc; math.IsNaN(adc.run) || math.Abs(header.ml()-adc.ml()) <= agree*adc.ml() {
			chosen = header
		}
	}
	for _, t := range []times{chosen, header, adc} {
		if t.impossible(limit) == "" {
			return Volume{t.ml(), t.source(header, adc), t.otherwise(header, adc)}
		}
	}
	return Volume{Reason: chosen.impossible(limit)}
}

// KnownVolume tells whether a volume in ml that another witness gives can be a sample's.
func KnownVolume(ml float64) bool { return ml > 0 && ml <= usualSyringe*(1+agree) }

// syringe is the volume of a sample in ml.
func syringe(h Header) float64 {
	if v, ok := h.Float("SyringeSampleVolume"); ok && v > 0 {
		return v
	}
	return usualSyringe
}

// times are the run and inhibit time in seconds, NaN where unknown.
type times struct{ run, inhibit float64 }

var unknownTimes = times{math.NaN(), math.NaN()}

func (t times) ml() float64 { return v2FlowRate * (t.run - t.inhibit) / 60 }

// impossible says why the times give no volume, nothing when they do.
func (t times) impossible(limit float64) string {
	switch ml := t.ml(); {
	case math.IsNaN(t.run):
		return "neither the header nor two triggers of the .adc tell the run time"
	case math.IsNaN(t.inhibit):
		return "neither the header nor two triggers of the .adc tell the inhibit time"
	case !(ml > 0) || t.inhibit < 0:
		return fmt.Sprintf("the inhibit time of %.4g s leaves nothing of the run time of %.4g s", t.inhibit, t.run)
	case ml > limit:
		return fmt.Sprintf("%.4g ml are more than the syringe's %.4g ml", ml, limit/(1+agree))
	}
	return ""
}

// source names the witnesses of the times.
func (t times) source(header, adc times) string {
	name := func(v, headers float64) string {
		if v == headers {
			return "header"
		}
		return "adc"
	}
	run, inhibit := name(t.run, header.run), name(t.inhibit, header.inhibit)
	if run == inhibit {
		return run
	}
	return "run time " + run + ", inhibit time " + inhibit
}

// otherwise says which witness alone gives another volume, if one does.
func (t times) otherwise(header, adc times) string {
	for _, w := range []struct {
		name string
		says times
	}{{"header", header}, {".adc", adc}} {
		if ml := w.says.ml(); math.Abs(ml-t.ml()) > agree*math.Abs(ml) {
			return fmt.Sprintf("the %s alone gives %.4g ml", w.name, ml)
		}
	}
	return ""
}

// headerTimes are what the header says.
func headerTimes(h Header) times {
	t := unknownTimes
	if v, ok := h.Float("runTime"); ok && v > 0 {
		t.run = v
	}
	if v, ok := h.Float("inhibitTime"); ok && v >= 0 {
		t.inhibit = v
	}
	return t
}

// chooseTimes takes each time from the header where it agrees with the .adc or is alone, else from the .adc.
func chooseTimes(header, adc times) times {
	choose := func(header, adc float64) float64 {
		if math.IsNaN(adc) || math.Abs(header-adc) <= agree*adc {
			return header
		}
		return adc
	}
	return times{choose(header.run, adc.run), choose(header.inhibit, adc.inhibit)}
}

// lastTimes are those of the last line, or the one before it: the last may have been cut short.
func lastTimes(targets []Target) times {
	for i := len(targets) - 1; i >= 0 && i >= len(targets)-2; i-- {
		run, okRun := targets[i].Float(adcRunTime)
		inhibit, okInhibit := targets[i].Float(adcInhibitTime)
		if t := (times{run, inhibit}); okRun && okInhibit && t.ml() > 0 {
			return t
		}
	}
	return unknownTimes
}

// firstFastIFCB5 is when IFCB5's camera got faster, and with it the shortest processing time.
var firstFastIFCB5 = time.Date(2015, time.June, 1, 0, 0, 0, 0, time.UTC)

// v1Volume sums over triggers. The instrument is blind from a frame grab to the next trigger's opening, and at least
// for the shortest processing time. A bin across midnight has negative clock readings from there on.
func v1Volume(id BinID, targets []Target, limit float64) Volume {
	const triggerOpen, frameGrab, day = 7, 8, 24 * 60 * 60
	shortest := 0.073
	if id.IFCB() == "IFCB5" && !id.Time().Before(firstFastIFCB5) {
		shortest = 0.05
	}
	clock := func(t Target, column int) float64 {
		v, _ := t.Float(column)
		if v < 0 {
			v += day
		}
		return v
	}
	var blind, grabbed float64
	triggers, last := 0, 0
	for _, t := range targets {
		if t.Bad != nil || triggers > 0 && t.Trigger == last {
			continue
		}
		if triggers > 0 {
			blind += max(clock(t, triggerOpen)-grabbed, shortest)
		}
		grabbed, last = clock(t, frameGrab), t.Trigger
		triggers++
	}
	ml := (grabbed - blind - 0.073) * v1FlowRate
	switch {
	case triggers == 0:
		return Volume{Reason: "the .adc has no trigger"}
	case !(ml > 0) || math.IsInf(ml, 0):
		return Volume{Reason: fmt.Sprintf("the .adc leaves nothing of the run time of %.4g s", grabbed)}
	case ml > limit:
		return Volume{Reason: fmt.Sprintf("%.4g ml are more than the syringe's %.4g ml", ml, limit/(1+agree))}
	}
	return Volume{ML: ml, Source: "adc"}
}
