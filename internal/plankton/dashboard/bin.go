package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// probes is how many of a bin's images must be absent, from the first on, before all are taken to be.
const probes = 3

// OpenOptions say how to open a bin.
type OpenOptions struct {
	MaxZip int64 // bytes of the largest zip, which passes through a temporary file
	Header bool  // read the header too
	Log    *slog.Logger
}

// Bin is a bin that is read from a dashboard: from its zip, or one request per image.
type Bin struct {
	Numbers []int         // targets with an image that is to be had, ascending
	Table   []ifcb.Target // of the .adc; empty when it cannot be had
	Header  ifcb.Header
	Short   error // the table breaks off: there may have been more images
	// HeaderErr says why the header was not to be had just now, and is nil where it is read or there is none.
	HeaderErr error

	files
	zipped  map[int]ifcb.ArchiveImage
	archive *ifcb.Archive // nil without a zip
	file    *os.File
}

// files are a bin's files at its dashboard.
type files struct {
	data *Dataset
	log  *slog.Logger
	id   ifcb.BinID
	url  string
}

func (d *Dataset) files(id ifcb.BinID, log *slog.Logger) files {
	return files{d, log, id, d.binURL(id)}
}

// Open fetches a bin's zip, or where there is none the list of its images.
func (d *Dataset) Open(ctx context.Context, id ifcb.BinID, o OpenOptions) (_ *Bin, err error) {
	b := &Bin{files: d.files(id, o.Log)}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	err = b.openZip(ctx, o.MaxZip)
	if err != nil && !IsGone(err) {
		return nil, err
	}
	if b.archive == nil {
		if b.Numbers, err = b.list(ctx); err != nil {
			return nil, err
		}
	}
	if len(b.Table) == 0 {
		b.Table, err = b.fetchTable(ctx)
		if b.Short = nil; isCut(err) {
			b.Short = err
		} // its values are a bonus: an image does without them
	}
	if b.archive != nil {
		b.addMissing()
	}
	if o.Header {
		if b.Header, b.HeaderErr = b.fetchHeader(ctx); b.HeaderErr != nil && ctx.Err() != nil {
			return nil, b.HeaderErr
		}
	}
	return b, nil
}

// Facts reads what a dashboard has of a bin beside its images: its table, up to where that breaks off, and its header.
func (d *Dataset) Facts(ctx context.Context, id ifcb.BinID, log *slog.Logger) ([]ifcb.Target, ifcb.Header, error) {
	f := d.files(id, log)
	table, err := f.fetchTable(ctx)
	if err != nil && !isCut(err) {
		return nil, ifcb.Header{}, err
	}
	header, err := f.fetchHeader(ctx)
	if err != nil {
		f.log.Warn("header is not to be had", "bin", id.String(), "err", err)
	}
	return table, header, nil
}

// isCut tells whether a table was read up to where it breaks off.
func isCut(err error) bool { return errors.Is(err, ifcb.ErrTruncated) }

// Close drops what was fetched.
func (b *Bin) Close() {
	if b.file != nil {
		discard(b.file)
		b.file = nil
	}
}

// addMissing adds the images that the table announces and the zip lacks: they are asked for one by one, and reported
// when they cannot be had.
func (b *Bin) addMissing() {
	for _, number := range ifcb.ServedNumbers(b.id, b.Table) {
		if _, ok := b.zipped[number]; !ok {
			b.Numbers = append(b.Numbers, number)
		}
	}
	slices.Sort(b.Numbers)
}

func (b *Bin) openZip(ctx context.Context, limit int64) error {
	file, size, err := b.data.client.download(ctx, b.url+".zip", limit)
	if err != nil {
		return err
	}
	archive, err := ifcb.OpenArchive(file, size, b.id)
	if err != nil {
		discard(file)
		b.log.Warn("zip is damaged, asking for single images", "bin", b.id.String(), "err", err)
		return err
	}
	b.file, b.archive, b.zipped = file, archive, map[int]ifcb.ArchiveImage{}
	for _, img := range archive.Images() {
		b.Numbers = append(b.Numbers, img.Number)
		b.zipped[img.Number] = img
	}
	table, err := archive.Targets()
	switch {
	case isCut(err):
		b.Table, b.Short = table, err
	case err != nil:
		b.log.Warn("table in zip is damaged", "bin", b.id.String(), "err", err)
	default:
		b.Table = table
	}
	return nil
}

// listImages asks which images there are, and tries whether the first of them can be had at all.
func (f files) list(ctx context.Context) ([]int, error) {
	numbers, err := f.data.images(ctx, f.id)
	if err != nil && !IsGone(err) {
		return nil, err
	}
	if err != nil {
		table, err := f.fetchTable(ctx)
		if err != nil && !isCut(err) {
			return nil, fmt.Errorf("its images are not there: neither zip nor list nor .adc: %w", err)
		}
		numbers = ifcb.ServedNumbers(f.id, table) // what could be read of a list of another form does not count
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	for i, number := range numbers[:min(probes, len(numbers))] {
		_, _, _, err := f.fetchImage(ctx, number)
		if err == nil {
			break
		}
		if !IsGone(err) {
			return nil, err
		}
		if i == min(probes, len(numbers))-1 {
			return nil, fmt.Errorf("its images are not there: %w", err)
		}
	}
	return numbers, nil
}

// fetchTable reads the bin's .adc file. One that breaks off gives what it has, and the error.
func (f files) fetchTable(ctx context.Context) ([]ifcb.Target, error) {
	data, err := f.data.client.bytes(ctx, f.url+".adc", maxText)
	if err != nil {
		return nil, err
	}
	return ifcb.ReadADC(bytes.NewReader(data), f.id.Schema())
}

// fetchHeader reads the bin's .hdr file: a bonus, which never costs images. An error is one that may pass.
func (f files) fetchHeader(ctx context.Context) (ifcb.Header, error) {
	data, err := f.data.client.bytes(ctx, f.url+".hdr", maxText)
	if err != nil && connector.KindOf(err) == connector.KindRetriable {
		return ifcb.Header{}, err
	}
	if err != nil {
		return ifcb.Header{}, nil
	}
	header, err := ifcb.ReadHeader(bytes.NewReader(data))
	if err != nil {
		f.log.Warn("header is damaged", "bin", f.id.String(), "err", err)
	}
	return header, nil
}

// Image gives an image, a PNG file, from the zip, else by a request of its own. An error that [IsGone] is of this image
// alone.
func (b *Bin) Image(ctx context.Context, number int) (png []byte, width, height int, err error) {
	if img, ok := b.zipped[number]; ok {
		png, width, height, err := b.archive.PNG(img)
		if err == nil {
			return png, width, height, nil
		}
		b.log.Warn("image in zip is damaged, asking for it alone", "err", err)
	}
	return b.fetchImage(ctx, number)
}

func (f files) fetchImage(ctx context.Context, number int) (png []byte, width, height int, err error) {
	url := fmt.Sprintf("%s_%05d.png", f.url, number)
	if png, err = f.data.client.bytes(ctx, url, ifcb.MaxPNG); err != nil {
		return nil, 0, 0, err
	}
	if width, height, err = ifcb.CheckPNG(png); err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w", url, err)
	}
	return png, width, height, nil
}
