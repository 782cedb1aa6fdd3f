package ifcb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ifcb"
)

// probes is how many of a bin's images must be absent, from the first on, before all are taken to be.
const probes = 3

// errNoImages is a bin whose images the dashboard does not have: its .roi file is missing, or not there yet.
var errNoImages = errors.New("the dashboard does not have its images")

// bin is a bin under way: its images one after the other, from its zip or one request each.
type bin struct {
	id      ifcb.BinID
	numbers []int // targets with an image, ascending
	next    int   // index into numbers
	zipped  map[int]ifcb.ArchiveImage
	archive *ifcb.Archive
	file    *os.File
	targets map[int]ifcb.Target
	sample  sample
	given   int // images given in this run
	lost    int // images that could not be had
	url     string
}

func (b *bin) close() {
	if b.file != nil {
		discard(b.file)
		b.file = nil
	}
}

// image is one image file.
type image struct {
	number        int
	png           []byte
	width, height int
}

// openBin fetches a bin's zip, or where there is none the list of its images. after is the last image that was given
// before.
func (s *Source) openBin(ctx context.Context, id ifcb.BinID, after int) (*bin, error) {
	b := &bin{id: id, url: s.site.binURL(id), targets: map[int]ifcb.Target{}}
	table, err := s.openZip(ctx, b)
	if err != nil && !isGone(err) {
		return nil, err
	}
	if b.archive == nil {
		if err := s.listImages(ctx, b); err != nil {
			return nil, err
		}
	}
	if len(table) == 0 {
		table, _ = s.fetchTable(ctx, id) // its values are a bonus: an image does without them
	}
	for _, t := range table {
		b.targets[t.Number] = t
	}
	if b.archive != nil {
		b.addMissing(table)
	}
	b.sample = s.describe(ctx, id, table)
	for b.next < len(b.numbers) && b.numbers[b.next] <= after {
		b.next++
	}
	return b, nil
}

// addMissing adds the images that the table announces and the zip lacks: they are asked for one by one, and reported
// when they cannot be had.
func (b *bin) addMissing(table []ifcb.Target) {
	for _, roi := range ifcb.NewBin(b.id, table, ifcb.Header{}, nil, 0).Served() {
		if _, ok := b.zipped[roi.Number]; !ok {
			b.numbers = append(b.numbers, roi.Number)
		}
	}
	slices.Sort(b.numbers)
}

// isGone tells whether an error means that this way of getting images does not work for the bin, for now: the route is
// absent, or what it gave is damaged. An error of the environment is not.
func isGone(err error) bool { return connector.KindOf(err) == connector.KindUnmarked }

func (s *Source) openZip(ctx context.Context, b *bin) ([]ifcb.Target, error) {
	file, size, err := s.client.download(ctx, b.url+".zip", s.opts.maxZip)
	if err != nil {
		return nil, err
	}
	archive, err := ifcb.OpenArchive(file, size, b.id)
	if err != nil {
		discard(file)
		s.log.Warn("zip is damaged, asking for single images", "bin", b.id.String(), "err", err)
		return nil, err
	}
	b.file, b.archive, b.zipped = file, archive, map[int]ifcb.ArchiveImage{}
	for _, img := range archive.Images() {
		b.numbers = append(b.numbers, img.Number)
		b.zipped[img.Number] = img
	}
	table, err := archive.Targets()
	if err != nil {
		s.log.Warn("table in zip is damaged", "bin", b.id.String(), "err", err)
		return nil, nil
	}
	return table, nil
}

// listImages asks which images there are, and tries whether the first of them can be had at all.
func (s *Source) listImages(ctx context.Context, b *bin) error {
	numbers, err := s.site.images(ctx, b.id)
	if err != nil && !isGone(err) {
		return err
	}
	if err != nil {
		table, err := s.fetchTable(ctx, b.id)
		if err != nil {
			return fmt.Errorf("%w: neither zip nor list nor .adc: %w", errNoImages, err)
		}
		numbers = nil // a list of another form may have been read in part
		for _, roi := range ifcb.NewBin(b.id, table, ifcb.Header{}, nil, 0).Served() {
			numbers = append(numbers, roi.Number)
		}
	}
	b.numbers = numbers
	for i, number := range first(b.numbers, probes) {
		_, err := s.fetchImage(ctx, b, number)
		if err == nil {
			return nil
		}
		if !isGone(err) {
			return err
		}
		if i == min(probes, len(b.numbers))-1 {
			return fmt.Errorf("%w: %w", errNoImages, err)
		}
	}
	return nil
}

// fetchTable reads the bin's .adc file.
func (s *Source) fetchTable(ctx context.Context, id ifcb.BinID) ([]ifcb.Target, error) {
	data, err := s.client.bytes(ctx, s.site.binURL(id)+".adc", maxText)
	if err != nil {
		return nil, err
	}
	targets, err := ifcb.ReadADC(bytes.NewReader(data), id.Schema())
	if errors.Is(err, ifcb.ErrTruncated) {
		return targets, nil
	}
	return targets, err
}

// readImage gives an image from the zip, else by a request of its own.
func (s *Source) readImage(ctx context.Context, b *bin, number int) (image, error) {
	if img, ok := b.zipped[number]; ok {
		data, width, height, err := b.archive.PNG(img)
		if err == nil {
			return image{number, data, width, height}, nil
		}
		s.log.Warn("image in zip is damaged, asking for it alone", "err", err)
	}
	return s.fetchImage(ctx, b, number)
}

func (s *Source) fetchImage(ctx context.Context, b *bin, number int) (image, error) {
	url := fmt.Sprintf("%s_%05d.png", b.url, number)
	data, err := s.client.bytes(ctx, url, ifcb.MaxPNG)
	if err != nil {
		return image{}, err
	}
	width, height, err := ifcb.CheckPNG(data)
	if err != nil {
		return image{}, fmt.Errorf("%s: %w", url, err)
	}
	return image{number, data, width, height}, nil
}
