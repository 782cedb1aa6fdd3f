// Package drawn gives tests synthetic bins without the time that drawing their
// particles takes: a test process draws a few bins once, and files them under
// as many names as its tests ask for.
package drawn

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// differ is how many bins of a folder have particles of their own.
const differ = 8

// endings are those of a bin's files; the .adc comes last, as the
// instrument has it.
var endings = []string{".roi", ".hdr", ".adc"}

// sample is a bin that was drawn: the content of its files.
type sample map[string][]byte

// Instrument files bins in a folder.
type Instrument struct {
	dir            string
	number, images int
	taken          int
}

// NewInstrument gives the instrument of a number, whose bins have this many
// images.
func NewInstrument(dir string, number, images int) *Instrument {
	return &Instrument{dir: dir, number: number, images: images}
}

// Take adds the bin of a time.
func (i *Instrument) Take(t testing.TB, at time.Time) ifcb.BinID {
	t.Helper()
	samples, err := draw(i.images)
	if err != nil {
		t.Fatal(err)
	}
	id, err := ifcb.NewBinID(i.number, at)
	if err != nil {
		t.Fatal(err)
	}
	day := filepath.Join(i.dir, id.Day())
	if err := os.MkdirAll(day, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, ending := range endings {
		if err := os.WriteFile(filepath.Join(day, id.String()+ending), samples[i.taken%differ][ending], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	i.taken++
	return id
}

var (
	mu      sync.Mutex
	samples = map[int][]sample{} // by their number of images
)

// draw gives the bins with a number of images, which are drawn when first asked for.
func draw(images int) ([]sample, error) {
	mu.Lock()
	defer mu.Unlock()
	if list, ok := samples[images]; ok {
		return list, nil
	}
	dir, err := os.MkdirTemp("", "hydraulics-drawn-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	instrument, err := dashboard.NewInstrument(dashboard.InstrumentOptions{Dir: dir, Seed: 1, ImagesPerBin: images})
	if err != nil {
		return nil, err
	}
	var list []sample
	for n := range differ {
		id, err := instrument.Take(time.Date(2024, 5, 1, 0, n, 0, 0, time.UTC))
		if err != nil {
			return nil, err
		}
		s := sample{}
		for _, ending := range endings {
			if s[ending], err = os.ReadFile(filepath.Join(dir, id.Day(), id.String()+ending)); err != nil {
				return nil, fmt.Errorf("bin %s: %w", id, err)
			}
		}
		list = append(list, s)
	}
	samples[images] = list
	return list, nil
}
