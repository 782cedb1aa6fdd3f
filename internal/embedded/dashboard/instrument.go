package dashboard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// InstrumentOptions describe a synthetic instrument.
type InstrumentOptions struct {
	// Dir is where the bins go, in day directories; it is made when absent.
	Dir string
	// Number is the instrument's, 1 to 999; 901 when 0. Those to 6 are old ones: other names and files, and particles that
	// the camera cut in two.
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

// Instrument takes bins of synthetic plankton, in the formats of a new or an old instrument.
type Instrument struct{ o InstrumentOptions }

// TruthExt ends the name of the file beside each synthetic bin that tells what is in it: lines of
// "target,class,volume_px3,volume_um3" with a header. A particle that was cut in two stands under its first target.
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
	case o.Number < 1 || o.Number > 999:
		return nil, fmt.Errorf("synthetic instrument: number %d, want 1 to 999", o.Number)
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
