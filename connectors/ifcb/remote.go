package ifcb

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// probes is how many of a bin's images must be absent, from the first on, before all are taken to be.
const probes = 3

// remote reads a bin from a dashboard: from its zip, or one request per image.
type remote struct {
	dashboard dashboard
	client    *client
	log       *slog.Logger
	id        ifcb.BinID
	url       string
	zipped    map[int]ifcb.ArchiveImage
	archive   *ifcb.Archive // nil without a zip
	file      *os.File
}

// dashboard is what a bin is read from.
type dashboard interface {
	// binURL is where a bin's files are: the URL without extension.
	binURL(id ifcb.BinID) string
	// images lists the target numbers that have an image.
	images(ctx context.Context, id ifcb.BinID) ([]int, error)
}

// openRemote fetches a bin's zip, or where there is none the list of its images.
func openRemote(ctx context.Context, l *lane, from dashboard, id ifcb.BinID) (b *bin, err error) {
	r := &remote{dashboard: from, client: l.client, log: l.log, id: id, url: from.binURL(id)}
	b = &bin{id: id, reader: r}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	err = r.openZip(ctx, b, l.opts.maxZip)
	if err != nil && !isGone(err) {
		return nil, err
	}
	if r.archive == nil {
		if b.numbers, err = r.listImages(ctx); err != nil {
			return nil, err
		}
	}
	if len(b.table) == 0 {
		b.table, err = r.fetchTable(ctx)
		if b.short = nil; cut(err) {
			b.short = err
		} // its values are a bonus: an image does without them
	}
	if r.archive != nil {
		r.addMissing(b)
	}
	if l.opts.metadata {
		b.header = r.fetchHeader(ctx)
	}
	return b, nil
}

// remoteFacts reads what a dashboard has of a bin beside its images.
func remoteFacts(ctx context.Context, l *lane, from dashboard, id ifcb.BinID) (facts, error) {
	r := &remote{dashboard: from, client: l.client, log: l.log, id: id, url: from.binURL(id)}
	table, err := r.fetchTable(ctx)
	if err != nil && !cut(err) {
		return facts{}, err
	}
	return facts{table, r.fetchHeader(ctx)}, nil
}

func (r *remote) close() {
	if r.file != nil {
		discard(r.file)
		r.file = nil
	}
}

// check finds nothing: a zip stays what it is, and a dashboard's files are whole.
func (r *remote) check() error { return nil }

// addMissing adds the images that the table announces and the zip lacks: they are asked for one by one, and reported
// when they cannot be had.
func (r *remote) addMissing(b *bin) {
	for _, number := range servedNumbers(b.id, b.table) {
		if _, ok := r.zipped[number]; !ok {
			b.numbers = append(b.numbers, number)
		}
	}
	slices.Sort(b.numbers)
}

func (r *remote) openZip(ctx context.Context, b *bin, limit int64) error {
	file, size, err := r.client.download(ctx, r.url+".zip", limit)
	if err != nil {
		return err
	}
	archive, err := ifcb.OpenArchive(file, size, b.id)
	if err != nil {
		discard(file)
		r.log.Warn("zip is damaged, asking for single images", "bin", b.id.String(), "err", err)
		return err
	}
	r.file, r.archive, r.zipped = file, archive, map[int]ifcb.ArchiveImage{}
	for _, img := range archive.Images() {
		b.numbers = append(b.numbers, img.Number)
		r.zipped[img.Number] = img
	}
	table, err := archive.Targets()
	switch {
	case cut(err):
		b.table, b.short = table, err
	case err != nil:
		r.log.Warn("table in zip is damaged", "bin", b.id.String(), "err", err)
	default:
		b.table = table
	}
	return nil
}

// listImages asks which images there are, and tries whether the first of them can be had at all.
func (r *remote) listImages(ctx context.Context) ([]int, error) {
	numbers, err := r.dashboard.images(ctx, r.id)
	if err != nil && !isGone(err) {
		return nil, err
	}
	if err != nil {
		table, err := r.fetchTable(ctx)
		if err != nil && !cut(err) {
			return nil, noImages(fmt.Errorf("neither zip nor list nor .adc: %w", err))
		}
		numbers = servedNumbers(r.id, table) // what could be read of a list of another form does not count
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	for i, number := range first(numbers, probes) {
		_, err := r.fetchImage(ctx, number)
		if err == nil {
			break
		}
		if !isGone(err) {
			return nil, err
		}
		if i == min(probes, len(numbers))-1 {
			return nil, noImages(err)
		}
	}
	return numbers, nil
}

// fetchTable reads the bin's .adc file. One that breaks off gives what it has, and the error.
func (r *remote) fetchTable(ctx context.Context) ([]ifcb.Target, error) {
	data, err := r.client.bytes(ctx, r.url+".adc", maxText)
	if err != nil {
		return nil, err
	}
	return ifcb.ReadADC(bytes.NewReader(data), r.id.Schema())
}

// fetchHeader reads the bin's .hdr file: a bonus, which never holds up images.
func (r *remote) fetchHeader(ctx context.Context) ifcb.Header {
	data, err := r.client.bytes(ctx, r.url+".hdr", maxText)
	if err != nil {
		return ifcb.Header{}
	}
	header, err := ifcb.ReadHeader(bytes.NewReader(data))
	if err != nil {
		r.log.Warn("header is damaged", "bin", r.id.String(), "err", err)
	}
	return header
}

// image gives an image from the zip, else by a request of its own.
func (r *remote) image(ctx context.Context, number int) (image, error) {
	if img, ok := r.zipped[number]; ok {
		data, width, height, err := r.archive.PNG(img)
		if err == nil {
			return image{number, data, width, height}, nil
		}
		r.log.Warn("image in zip is damaged, asking for it alone", "err", err)
	}
	return r.fetchImage(ctx, number)
}

func (r *remote) fetchImage(ctx context.Context, number int) (image, error) {
	url := fmt.Sprintf("%s_%05d.png", r.url, number)
	data, err := r.client.bytes(ctx, url, ifcb.MaxPNG)
	if err != nil {
		return image{}, err
	}
	width, height, err := ifcb.CheckPNG(data)
	if err != nil {
		return image{}, fmt.Errorf("%s: %w", url, err)
	}
	return image{number, data, width, height}, nil
}
