package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
	"github.com/axiom-data-science/hydraulics/internal/ifcb"
)

// InstrumentOptions describe a synthetic instrument.
type InstrumentOptions struct {
	// Dir is where the bins go, in day directories; it is made when absent.
	Dir string
	// Number is the instrument's, 7 to 999; 901 when 0.
	Number int
	// Seed makes the particles: the bin taken at a time holds the same ones for the same seed.
	Seed uint64
	// Interval is the time from one bin to the next, 30 s when 0.
	Interval time.Duration
	// ImagesPerBin is how many particles a bin has, 20 when 0; a tenth of its triggers gives no image.
	ImagesPerBin int
	// Keep is how many bins stay: older ones are removed. 0 keeps all.
	Keep int
}

// Instrument takes bins of synthetic plankton, in the formats of an instrument of generation 2 (schema 2).
type Instrument struct{ o InstrumentOptions }

// TruthExt ends the name of the file beside each synthetic bin that tells what is in it: lines of
// "target,class,volume_px3,volume_um3" with a header.
const TruthExt = ".truth.csv"

// NewInstrument checks the options and makes the folder.
func NewInstrument(o InstrumentOptions) (*Instrument, error) {
	if o.Number == 0 {
		o.Number = 901
	}
	if o.Interval == 0 {
		o.Interval = 30 * time.Second
	}
	if o.ImagesPerBin == 0 {
		o.ImagesPerBin = 20
	}
	switch {
	case o.Number < 7 || o.Number > 999:
		return nil, fmt.Errorf("synthetic instrument: number %d, want 7 to 999", o.Number)
	case o.Interval < time.Second:
		return nil, fmt.Errorf("synthetic instrument: interval %s, want at least 1s: bins are named by the second", o.Interval)
	case o.ImagesPerBin < 0 || o.ImagesPerBin > 10_000:
		return nil, fmt.Errorf("synthetic instrument: %d images per bin, want 1 to 10000", o.ImagesPerBin)
	case o.Keep < 0:
		return nil, fmt.Errorf("synthetic instrument: keep %d, want 0 (all) or more", o.Keep)
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("synthetic instrument: %w", err)
	}
	return &Instrument{o: o}, nil
}

// Begin takes bins of the past, an interval apart up to now, in a folder that has none.
func (i *Instrument) Begin(ctx context.Context, backlog int) error {
	files, err := ifcb.List(i.o.Dir)
	if err != nil || len(files) > 0 {
		return err
	}
	now := time.Now()
	for n := backlog; n > 0 && ctx.Err() == nil; n-- {
		if _, err := i.Take(now.Add(-time.Duration(n) * i.o.Interval)); err != nil {
			return err
		}
	}
	return nil
}

// Run takes a bin per interval until ctx ends. It does [Instrument.Begin] first.
func (i *Instrument) Run(ctx context.Context, backlog int) error {
	if err := i.Begin(ctx, backlog); err != nil {
		return err
	}
	tick := time.NewTicker(i.o.Interval)
	defer tick.Stop()
	for {
		if _, err := i.Take(time.Now()); err != nil {
			return err
		}
		if err := i.forget(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Take takes the bin of a time, to the second. One that is there already stays as it is. The .adc comes last, so that
// who sees it sees all of the bin.
func (i *Instrument) Take(at time.Time) (ifcb.BinID, error) {
	id, err := ifcb.NewBinID(i.o.Number, at)
	if err != nil {
		return ifcb.BinID{}, err
	}
	dir := filepath.Join(i.o.Dir, id.Day())
	stem := filepath.Join(dir, id.String())
	if _, err := os.Stat(stem + ".adc"); err == nil {
		return id, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return ifcb.BinID{}, fmt.Errorf("synthetic bin %s: %w", id, err)
	}
	bin := i.expose(id)
	for _, f := range []struct {
		ext  string
		data []byte
	}{{".roi", bin.roi.Bytes()}, {".hdr", bin.header()}, {TruthExt, bin.truth.Bytes()}, {".adc", bin.adc.Bytes()}} {
		if err := writeWhole(stem+f.ext, f.data); err != nil {
			return ifcb.BinID{}, fmt.Errorf("synthetic bin %s: %w", id, err)
		}
	}
	return id, nil
}

// writeWhole makes a file appear with all of its content at once.
func writeWhole(path string, data []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// forget removes the oldest bins beyond Keep. The .adc goes first, so that no bin is seen half removed.
func (i *Instrument) forget() error {
	if i.o.Keep == 0 {
		return nil
	}
	files, err := ifcb.List(i.o.Dir)
	if err != nil {
		return err
	}
	for len(files) > i.o.Keep {
		stem := strings.TrimSuffix(files[0].ADC, ".adc")
		for _, ext := range []string{".adc", ".hdr", ".roi", TruthExt} {
			if err := os.Remove(stem + ext); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("synthetic bins: %w", err)
			}
		}
		files = files[1:]
	}
	return nil
}

// exposure is a bin in the making.
type exposure struct {
	id              ifcb.BinID
	rng             *rand.Rand
	adc, roi, truth bytes.Buffer
	triggers        int
	images          int
	clock, inhibit  float64 // s
}

const (
	// sensorWidth and sensorHeight are the camera's, px.
	sensorWidth, sensorHeight = 1380, 1034
	// inhibitPerImage is how long the instrument is blind after a trigger, s.
	inhibitPerImage = 0.07
)

func (i *Instrument) expose(id ifcb.BinID) *exposure {
	e := &exposure{id: id, rng: rand.New(rand.NewPCG(i.o.Seed, uint64(id.Time().Unix())))}
	e.truth.WriteString("target,class,volume_px3,volume_um3\n")
	// A syringe of 5 ml runs 20 minutes.
	gap := 1200 / float64(i.o.ImagesPerBin+i.o.ImagesPerBin/9+1)
	for e.images < i.o.ImagesPerBin {
		e.triggers++
		e.clock += gap * (0.5 + e.rng.Float64())
		if e.rng.IntN(10) == 0 {
			e.line(plankton.Particle{})
			continue
		}
		e.images++
		e.line(plankton.Pick(e.rng))
	}
	return e
}

// line adds a trigger, with an image unless the particle is the zero one.
func (e *exposure) line(p plankton.Particle) {
	var x, y, width, height int
	start := e.roi.Len()
	brightness := 0.002
	if p.Image != nil {
		width, height = p.Image.Rect.Dx(), p.Image.Rect.Dy()
		x, y = e.rng.IntN(sensorWidth-width), e.rng.IntN(sensorHeight-height)
		e.roi.Write(p.Image.Pix)
		fmt.Fprintf(&e.truth, "%d,%s,%g,%g\n", e.triggers, p.Class, p.VolumePx, p.VolumeUM3)
		brightness = 1e-6 * p.VolumePx
	} else {
		start = 0
	}
	grab := e.clock + 0.042
	pmt := func(scale float64) float64 { return scale * (brightness + 0.001*e.rng.Float64()) }
	fmt.Fprintf(&e.adc, "%d,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%d,%d,%d,%d,%d,0,0,0,0,%.6f,%.6f\n",
		e.triggers, e.clock, pmt(1), pmt(0.5), pmt(0.01), pmt(0.01), pmt(3), pmt(2), pmt(0.1), pmt(0.1),
		50+10*e.rng.Float64(), e.clock, grab, x, y, width, height, start, grab+0.008, e.inhibit)
	e.inhibit += inhibitPerImage
}

func (e *exposure) header() []byte {
	var h bytes.Buffer
	run, inhibit := e.clock+0.05, max(e.inhibit-inhibitPerImage, 0)
	for _, line := range []struct {
		key   string
		value any
	}{
		{"SoftwareVersion", "synthetic"}, {"sampleNumber", 1}, {"sampleType", "Normal"},
		{"triggerCount", e.triggers}, {"roiCount", e.images},
		{"humidity", 30 + e.rng.IntN(10)}, {"temperature", 18 + e.rng.IntN(6)},
		{"runTime", run}, {"inhibitTime", inhibit},
		{"gpsLatitude", 41.325}, {"gpsLongitude", -70.5667},
		{"ADCFileFormat", "trigger#, ADCtime, PMTA, PMTB, PMTC, PMTD, PeakA, PeakB, PeakC, PeakD, TimeOfFlight, GrabTimeStart, " +
			"GrabTimeEnd, RoiX, RoiY, RoiWidth, RoiHeight, StartByte, ComparatorOut, StartPoint, SignalLength, Status, RunTime, InhibitTime"},
		{"imagerID", e.id.Instrument()}, {"SyringeSampleVolume", 5},
	} {
		fmt.Fprintf(&h, "%s: %v\n", line.key, line.value)
	}
	return h.Bytes()
}
