package dashboard

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"math/rand/v2"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard/plankton"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// exposure is a bin in the making.
type exposure struct {
	id              ifcb.BinID
	rng             *rand.Rand
	adc, roi, truth bytes.Buffer
	lines           int // of the .adc
	triggers        int
	images          int
	clock, inhibit  float64 // s
	grabbed         float64 // s, when the last image was taken
}

const (
	// sensorWidth and sensorHeight are the camera's, px.
	sensorWidth, sensorHeight = 1380, 1034
	// inhibitPerImage is how long the instrument is blind after a trigger, s.
	inhibitPerImage = 0.07
	// syringeTime is how long a syringe of 5 ml lasts, s.
	syringeTime = 1200
	// processing is how long an old one is, s.
	processing = 0.08
)

func (i *Instrument) expose(id ifcb.BinID) *exposure {
	e := &exposure{id: id, rng: rand.New(rand.NewPCG(i.o.Seed, uint64(id.Time().Unix())))}
	e.truth.WriteString("target,class,volume_px3,volume_um3\n")
	if id.Schema() == ifcb.SchemaV1 {
		e.roi.WriteByte(0) // old files begin their first image at 1
	}
	for e.images < i.o.ImagesPerBin {
		e.triggers++
		left := i.o.ImagesPerBin - e.images
		e.clock += (syringeTime - e.clock) / float64(left+left/9+1) * (0.5 + e.rng.Float64())
		if e.rng.IntN(10) == 0 {
			e.trigger(plankton.Particle{})
			continue
		}
		e.images++
		e.trigger(plankton.Pick(e.rng))
	}
	return e
}

// trigger adds what one gives: a line of the .adc, without an image when the particle is the zero one. An old camera cuts
// some large particles in two.
func (e *exposure) trigger(p plankton.Particle) {
	defer func() { e.inhibit, e.grabbed = e.inhibit+inhibitPerImage, e.clock }()
	if p.Image == nil {
		e.line(nil, image.Point{}, 0.002)
		return
	}
	fmt.Fprintf(&e.truth, "%d,%s,%g,%g\n", e.lines+1, p.Class, p.VolumePx, p.VolumeUM3)
	size := p.Image.Rect.Size()
	at := image.Pt(e.rng.IntN(sensorWidth-size.X), e.rng.IntN(sensorHeight-size.Y))
	if e.id.Schema() == ifcb.SchemaV1 && size.X >= 64 && size.Y >= 40 && e.rng.IntN(2) == 0 {
		// the second half begins lower, so that a corner belongs to neither
		middle, low := size.X/2, size.Y/10
		for _, part := range []image.Rectangle{image.Rect(0, 0, middle+cutOverlap, size.Y), image.Rect(middle, low, size.X, size.Y)} {
			e.line(cutOut(p.Image, part), at.Add(part.Min), 1e-6*p.VolumePx)
		}
		return
	}
	e.line(p.Image, at, 1e-6*p.VolumePx)
}

// cutOverlap is by how many columns the halves of a cut particle overlap.
const cutOverlap = 12

func cutOut(from *image.Gray, part image.Rectangle) *image.Gray {
	to := image.NewGray(image.Rect(0, 0, part.Dx(), part.Dy()))
	draw.Draw(to, to.Rect, from, part.Min, draw.Src)
	return to
}

// line adds one of the .adc, and the pixels of its image if it has one.
func (e *exposure) line(img *image.Gray, at image.Point, brightness float64) {
	e.lines++
	var size image.Point
	start := 0
	if img != nil {
		size, start = img.Rect.Size(), e.roi.Len()
		e.roi.Write(img.Pix)
	}
	pmt := func(scale float64) float64 { return scale * (brightness + 0.001*e.rng.Float64()) }
	if e.id.Schema() == ifcb.SchemaV1 {
		opened := min(e.grabbed+processing, e.clock)
		fmt.Fprintf(&e.adc, "%d,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%d,%d,%d,%d,%d,%.6f,\n",
			e.triggers, e.clock+processing, pmt(0.5), pmt(1), pmt(0.01), pmt(0.01), pmt(-1), opened, e.clock,
			at.X, at.Y, size.X, size.Y, start, pmt(-0.3))
		return
	}
	grab := e.clock + 0.042
	fmt.Fprintf(&e.adc, "%d,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%d,%d,%d,%d,%d,0,0,0,0,%.6f,%.6f\n",
		e.triggers, e.clock, pmt(1), pmt(0.5), pmt(0.01), pmt(0.01), pmt(3), pmt(2), pmt(0.1), pmt(0.1),
		50+10*e.rng.Float64(), e.clock, grab, at.X, at.Y, size.X, size.Y, start, grab+0.008, e.inhibit)
}

func (e *exposure) header() []byte {
	var h bytes.Buffer
	if e.id.Schema() == ifcb.SchemaV1 {
		fmt.Fprintf(&h, "\"synthetic\"\n\"SyringeStatus =  0\"\n\"Temp Humidity BinarizeThresh PMT1hv(ssc) PMT2hv(chl) BlobSizeThresh\"\n"+
			"\" %d\",\" %d\",\" 30\",\" .675\",\" .6\",\" 10\"\n", 18+e.rng.IntN(6), 30+e.rng.IntN(10))
		return h.Bytes()
	}
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
