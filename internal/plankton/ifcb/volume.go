package ifcb

import (
	"errors"
	"math"
	"time"
)

const (
	v2FlowRate = 0.25             // ml per minute, the sample syringe of instruments 7 and up
	v1FlowRate = 40 * 5. / 48000. // ml per second: 40 steps per second, 5 ml in 48000 steps
)

// ErrNoVolume marks a bin whose files do not tell the volume that was analysed.
var ErrNoVolume = errors.New("volume analysed is unknown")

// MLAnalyzed is the volume of water in ml that the instrument looked at while it took the bin: flow rate times the
// time it was not busy with an image. It is never 0: a bin whose files give none has the error [ErrNoVolume].
//
// New instruments: 0.25 ml/min * (run time - inhibit time); the header's times count when they agree within 2 % with
// those of the last .adc line, else the latter do. Old ones: run time less processing times, from the .adc (as in the
// volume functions of WHOI's ifcb-analysis).
func (b *Bin) MLAnalyzed() (float64, error) {
	if b.ID.Schema() == SchemaV1 {
		return positive(v1Volume(b.ID, b.Targets))
	}
	fromADC := v2Volume(b.Targets)
	run, okRun := b.Header.Float("runTime")
	inhibit, okInhibit := b.Header.Float("inhibitTime")
	if okRun && okInhibit {
		fromHeader := v2FlowRate * (run - inhibit) / 60
		if fromHeader > 0 && (fromADC <= 0 || math.Abs(fromHeader-fromADC) <= 0.02*fromADC) {
			return fromHeader, nil
		}
	}
	return positive(fromADC)
}

func positive(ml float64) (float64, error) {
	if ml > 0 && !math.IsInf(ml, 0) {
		return ml, nil
	}
	return 0, ErrNoVolume
}

// v2Volume takes the last line, or the one before it: the last may have been cut short.
func v2Volume(targets []Target) float64 {
	for i := len(targets) - 1; i >= 0 && i >= len(targets)-2; i-- {
		run, okRun := targets[i].Float(22)
		inhibit, okInhibit := targets[i].Float(23)
		if ml := v2FlowRate * (run - inhibit) / 60; okRun && okInhibit && ml > 0 {
			return ml
		}
	}
	return 0
}

// firstFastIFCB5 is when IFCB5's camera got faster, and with it the shortest processing time.
var firstFastIFCB5 = time.Date(2015, time.June, 1, 0, 0, 0, 0, time.UTC)

// v1Volume sums over triggers. The instrument is blind from a frame grab to the next trigger's opening, and at least
// for the shortest processing time. A bin across midnight has negative clock readings from there on.
func v1Volume(id BinID, targets []Target) float64 {
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
		if triggers > 0 && t.Trigger == last {
			continue
		}
		if triggers > 0 {
			blind += max(clock(t, triggerOpen)-grabbed, shortest)
		}
		grabbed, last = clock(t, frameGrab), t.Trigger
		triggers++
	}
	if triggers == 0 {
		return 0
	}
	return (grabbed - blind - 0.073) * v1FlowRate
}
