package ifcb

import (
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bin is one sample: its targets, header and images. Its methods may be called from several goroutines, Close only
// after they are done.
type Bin struct {
	ID      BinID
	Targets []Target // every line of the .adc, with or without an image
	Header  Header
	// Truncated says what is missing when the .adc ends in the middle of a line, and is nil otherwise.
	Truncated error
	// HeaderErr says why the header is not what it should be, and is nil otherwise: a header costs no images.
	HeaderErr error

	roi     io.ReaderAt
	roiSize int64
	roiErr  error // why there are no pixels
	closer  io.Closer
}

// Open reads the .adc and .hdr of a bin and opens its .roi, given the path of its .adc; the other two lie beside it
// and may be absent. Without an .hdr that can be read the header is empty; without a .roi everything works but [Bin.Gray], whose error
// then is [fs.ErrNotExist].
func Open(adcPath string) (*Bin, error) {
	stem, ok := strings.CutSuffix(adcPath, ".adc")
	if !ok {
		return nil, fmt.Errorf("bin %s: want the path of an .adc file", adcPath)
	}
	id, err := ParseBinID(filepath.ToSlash(stem))
	if err != nil {
		return nil, err
	}
	adc, err := os.Open(adcPath)
	if err != nil {
		return nil, fmt.Errorf("bin %s: %w", id, err)
	}
	defer adc.Close()
	bin := &Bin{ID: id}
	bin.Targets, err = ReadADC(adc, id.Schema())
	if errors.Is(err, ErrTruncated) {
		bin.Truncated = err
	} else if err != nil {
		return nil, fmt.Errorf("bin %s: %w", id, err)
	}
	bin.Header, bin.HeaderErr = openHeader(stem + ".hdr")
	if err := bin.openROI(stem + ".roi"); err != nil {
		return nil, fmt.Errorf("bin %s: %w", id, err)
	}
	return bin, nil
}

// NewBin makes a bin from parts in memory. roi holds size bytes.
func NewBin(id BinID, targets []Target, header Header, roi io.ReaderAt, size int64) *Bin {
	return &Bin{ID: id, Targets: targets, Header: header, roi: roi, roiSize: size}
}

func openHeader(path string) (Header, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Header{}, nil
	}
	if err != nil {
		return Header{}, err
	}
	defer f.Close()
	return ReadHeader(f)
}

func (b *Bin) openROI(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		b.roiErr = fmt.Errorf("bin %s: %w", b.ID, err)
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	b.roi, b.roiSize, b.closer = f, info.Size(), f
	return nil
}

// Close closes the .roi file. It may be called twice.
func (b *Bin) Close() error {
	if b.closer == nil {
		return nil
	}
	closer := b.closer
	b.closer = nil
	return closer.Close()
}

// HasPixels tells whether the bin has a .roi file.
func (b *Bin) HasPixels() bool { return b.roi != nil }

// Served lists the ROIs as a dashboard serves them: pairs of an old camera stitched under the first one's number, the
// second number left out.
func (b *Bin) Served() []ROI {
	if b.ID.Schema() == SchemaV1 {
		return stitch(b.Targets)
	}
	return rawROIs(b.Targets)
}

// Raw lists the lines with an image as they stand in the .adc file.
func (b *Bin) Raw() []ROI { return rawROIs(b.Targets) }

// ServedNumbers are the numbers of the targets that a table announces an image of, as [Bin.Served] gives them.
func ServedNumbers(id BinID, table []Target) []int {
	var numbers []int
	for _, roi := range NewBin(id, table, Header{}, nil, 0).Served() {
		numbers = append(numbers, roi.Number)
	}
	return numbers
}

// ServedAt is the served ROI with this number. Asking for the second half of a stitched pair is an error that names
// the first.
func (b *Bin) ServedAt(number int) (ROI, error) {
	for _, roi := range b.Served() {
		if roi.Number == number {
			return roi, nil
		}
		if roi.Second != nil && roi.Second.Number == number {
			return ROI{}, fmt.Errorf("bin %s: target %d is the second half of target %d: ask for %d, or for the raw lines",
				b.ID, number, roi.Number, roi.Number)
		}
	}
	return ROI{}, b.noSuchTarget(number)
}

// RawAt is the line with this number, if it has an image.
func (b *Bin) RawAt(number int) (ROI, error) {
	for _, t := range b.Targets {
		if t.Number == number && t.HasImage() {
			return ROI{Target: t}, nil
		}
	}
	return ROI{}, b.noSuchTarget(number)
}

func (b *Bin) noSuchTarget(number int) error {
	for _, t := range b.Targets {
		if t.Number == number && t.Bad != nil {
			return fmt.Errorf("bin %s: target %d: %w", b.ID, number, t.Bad)
		}
	}
	if number >= 1 && number <= len(b.Targets) {
		return fmt.Errorf("bin %s: target %d has no image", b.ID, number)
	}
	return fmt.Errorf("bin %s: target %d is not there, the .adc has %d lines", b.ID, number, len(b.Targets))
}

// Gray reads the pixels of an ROI, stitched and infilled if it is a pair. An image that reaches beyond the end of the
// .roi file is an error that is [ErrTruncated].
func (b *Bin) Gray(roi ROI) (*image.Gray, error) {
	first, err := b.pixels(roi.Target)
	if err != nil || roi.Second == nil {
		return first, err
	}
	second, err := b.pixels(*roi.Second)
	if err != nil {
		return nil, err
	}
	return compose(first, second, roi.Rect(), roi.Second.Rect()), nil
}

func (b *Bin) pixels(t Target) (*image.Gray, error) {
	if b.roi == nil {
		return nil, b.roiErr
	}
	if !t.HasImage() {
		return nil, b.noSuchTarget(t.Number)
	}
	size := int64(t.Width) * int64(t.Height)
	if t.StartByte < 0 || t.StartByte > b.roiSize-size {
		return nil, fmt.Errorf("bin %s: target %d: bytes %d to %d of a .roi of %d: %w",
			b.ID, t.Number, t.StartByte, t.StartByte+size, b.roiSize, ErrTruncated)
	}
	gray := image.NewGray(image.Rect(0, 0, t.Width, t.Height))
	if n, err := b.roi.ReadAt(gray.Pix, t.StartByte); n < len(gray.Pix) {
		return nil, fmt.Errorf("bin %s: target %d: %w", b.ID, t.Number, err)
	}
	return gray, nil
}
