package ifcb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

const (
	// young is how long after its last change a bin's files may still be being written or copied. It leaves room for a
	// share whose clock differs.
	young = time.Hour
	// lateDays is how long after its day a bin may reach a folder that is followed.
	lateDays = 7 * day
)

// folder is a folder of raw files.
type folder struct {
	dir    string
	settle time.Duration
	once   bool // take what there is, once it has settled
	log    *slog.Logger
	paths  map[ifcb.BinID]string // of the .adc files, without extension
	seen   map[ifcb.BinID]sighting
}

// sighting is what a bin's files were when they were looked at.
type sighting struct {
	print fingerprint
	at    time.Time
}

// fingerprint changes whenever a bin's files do. A file that is absent has size -1.
type fingerprint [3]struct{ size, changed int64 }

var rawExts = [3]string{".adc", ".hdr", ".roi"}

func (f *folder) Kind() string { return "folder" }

func (f *folder) Span() time.Duration { return 366 * 100 * day }

func (f *folder) Details(context.Context, ifcb.BinID) (dashboard.Details, error) {
	return dashboard.Details{}, nil
}

// Shown gives all: files have no flags.
func (f *folder) Shown(_ context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) { return bins, nil }

// URL is empty: a folder has no address for others.
func (f *folder) URL(ifcb.BinID) string { return "" }

// list gives the bins of a folder, oldest first; of day folders those from a day on. Those without .adc are there too:
// they are waited for, and told of when it does not come.
func (f *folder) list(from time.Time) ([]ifcb.BinID, error) {
	files, err := ifcb.ListParts(f.dir, from)
	if err != nil {
		return nil, connector.Coded("H7005", connector.Retriable(err)) // a share that is away comes back
	}
	if f.paths == nil {
		f.paths = make(map[ifcb.BinID]string, len(files))
	}
	bins := make([]ifcb.BinID, len(files))
	for i, file := range files {
		bins[i], f.paths[file.ID] = file.ID, strings.TrimSuffix(file.ADC, ".adc")
	}
	return bins, nil
}

func (f *folder) Recent(_ context.Context, since time.Time) ([]ifcb.BinID, bool, error) {
	bins, err := f.list(since.Add(-lateDays))
	slices.Reverse(bins)
	return bins, true, err
}

func (f *folder) Period(_ context.Context, from, until time.Time) ([]ifcb.BinID, error) {
	bins, err := f.list(from)
	end := until.UTC().Truncate(day).Add(day)
	return slices.DeleteFunc(bins, func(id ifcb.BinID) bool { return !id.Time().Before(end) }), err
}

func (f *folder) Earliest(context.Context) (time.Time, error) { return ifcb.Dawn, nil }

// open opens a bin whose files are whole. Those that were changed a short time ago must have stayed the same for a
// while and agree with each other, or they are still being written; later, and with mode=once when they have stayed the
// same, the bin is taken as it is.
func (f *folder) open(_ context.Context, id ifcb.BinID) (*bin, error) {
	stem, ok := f.paths[id]
	if !ok {
		if _, err := f.list(id.Time()); err != nil {
			return nil, err
		}
		if stem, ok = f.paths[id]; !ok {
			return nil, fmt.Errorf("bin %s is no longer in %s", id, f.dir)
		}
	}
	now := time.Now()
	print, changed, err := look(stem)
	if err != nil {
		return nil, fileError(err)
	}
	recent := now.Sub(changed) < young
	if recent {
		before, known := f.seen[id]
		if !known || before.print != print {
			before = sighting{print, now}
			f.seen[id] = before
		}
		if rest := f.settle - now.Sub(before.at); rest > 0 {
			return nil, &growing{rest, fmt.Sprintf("they must stay the same for the %s of folder.settle.ms", f.settle)}
		}
	}
	wait := recent && !f.once
	if print[0].size < 0 {
		if wait {
			return nil, &growing{max(f.settle, time.Second), "its .adc is not there yet"}
		}
		delete(f.seen, id)
		return nil, fmt.Errorf("its table is not there: %s.adc: %w", stem, fs.ErrNotExist)
	}
	raw, err := ifcb.Open(stem + ".adc")
	if err != nil {
		return nil, fileError(err)
	}
	if wait {
		if why := unfinished(raw, print); why != nil {
			raw.Close()
			return nil, &growing{max(f.settle, time.Second), why.Error()}
		}
	}
	delete(f.seen, id)
	if !raw.HasPixels() && len(raw.Served()) > 0 {
		raw.Close()
		return nil, fmt.Errorf("its images are not there: %s.roi: %w", stem, fs.ErrNotExist)
	}
	r := &rawReader{bin: raw, stem: stem, print: print, rois: map[int]ifcb.ROI{}}
	b := &bin{id: id, table: raw.Targets, header: raw.Header, short: raw.Truncated, headless: raw.HeaderErr, reader: r}
	for _, roi := range raw.Served() {
		b.numbers = append(b.numbers, roi.Number)
		r.rois[roi.Number] = roi
	}
	return b, nil
}

// facts reads the files as they are.
func (f *folder) facts(_ context.Context, id ifcb.BinID) (facts, error) {
	raw, err := ifcb.Open(f.paths[id] + ".adc")
	if err != nil {
		return facts{}, err
	}
	return facts{raw.Targets, raw.Header}, raw.Close()
}

// fileError marks what a file system in trouble says. A bin that is gone, or damaged, is not that.
func fileError(err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok && !errors.Is(err, fs.ErrNotExist) {
		return connector.Retriable(err)
	}
	return err
}

// look takes the fingerprint of a bin's files; changed is when the last of them was.
func look(stem string) (print fingerprint, changed time.Time, err error) {
	for i, ext := range rawExts {
		info, err := os.Stat(stem + ext)
		if errors.Is(err, fs.ErrNotExist) {
			print[i].size = -1
			continue
		}
		if err != nil {
			return print, changed, err
		}
		print[i].size, print[i].changed = info.Size(), info.ModTime().UnixNano()
		if info.ModTime().After(changed) {
			changed = info.ModTime()
		}
	}
	return print, changed, nil
}

// unfinished tells what a bin lacks that was written to the end.
func unfinished(raw *ifcb.Bin, print fingerprint) error {
	if raw.Truncated != nil {
		return raw.Truncated
	}
	if print[1].size < 0 || print[2].size < 0 {
		return errors.New("its .hdr or .roi is not there yet")
	}
	images := raw.Raw()
	for _, roi := range images {
		if roi.StartByte+int64(roi.Width)*int64(roi.Height) > print[2].size {
			return ifcb.ErrTruncated
		}
	}
	lines := len(images) + len(ifcb.Unreadable(raw.Targets))
	if n, ok := raw.Header.Float("roiCount"); ok && float64(lines) < n {
		return fmt.Errorf("its .adc has %d of %v images", lines, n)
	}
	return nil
}

// rawReader makes the images of a bin from its files.
type rawReader struct {
	bin   *ifcb.Bin
	stem  string
	print fingerprint
	rois  map[int]ifcb.ROI
}

func (r *rawReader) close() { r.bin.Close() }

func (r *rawReader) check() error {
	print, _, err := look(r.stem)
	if err == nil && print != r.print {
		err = errors.New("its files have changed")
	}
	return err
}

func (r *rawReader) image(_ context.Context, number int) (image, error) {
	gray, err := r.bin.Gray(r.rois[number])
	if err != nil {
		return image{}, fileError(err)
	}
	var out bytes.Buffer
	if err := encoder.Encode(&out, gray); err != nil {
		return image{}, fmt.Errorf("bin %s: target %d: %w", r.bin.ID, number, err)
	}
	return image{number, out.Bytes(), gray.Rect.Dx(), gray.Rect.Dy()}, nil
}

var encoder = png.Encoder{BufferPool: new(pngBuffers)}

// pngBuffers lets images share the encoder's buffers.
type pngBuffers struct{ pool sync.Pool }

// Get gives a buffer, nil when there is none to share.
func (p *pngBuffers) Get() *png.EncoderBuffer {
	b, _ := p.pool.Get().(*png.EncoderBuffer)
	return b
}

// Put takes a buffer back.
func (p *pngBuffers) Put(b *png.EncoderBuffer) { p.pool.Put(b) }
