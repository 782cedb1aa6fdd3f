package ifcb

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Archive is a dashboard's zip of one bin. It reads both forms: generation 1 (deflated; {lid}.csv with a header line,
// {lid}.xml, images) and generation 2 (stored; metadata.json, {lid}_headers.json, {lid}.csv without one, images).
// Entries are read one at a time, so that a large bin needs little memory. Its methods may be called from several
// goroutines.
type Archive struct {
	id     BinID
	images []ArchiveImage
	csv    *zip.File
}

// ArchiveImage is one image of an archive.
type ArchiveImage struct {
	Number int // target number
	file   *zip.File
}

const (
	// maxEntries bounds the entries of an archive.
	maxEntries = 200_000
	// MaxPNG bounds one image file, in bytes. The largest camera frame, stored without compression, has 1.4 MB.
	MaxPNG = 16 << 20
	maxCSV = 64 << 20
)

// OpenArchive reads the directory of a bin's zip of size bytes. An empty bin's archive, without images, is valid. One
// with an entry that names another bin's image, an image twice, or a path outside the archive is refused.
func OpenArchive(r io.ReaderAt, size int64, id BinID) (*Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("zip of %s: %w", id, err)
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("zip of %s: %d entries, the limit is %d", id, len(z.File), maxEntries)
	}
	a := &Archive{id: id}
	for _, f := range z.File {
		if err := a.add(f); err != nil {
			return nil, fmt.Errorf("zip of %s: entry %q %w", id, f.Name, err)
		}
	}
	slices.SortFunc(a.images, func(x, y ArchiveImage) int { return cmp.Compare(x.Number, y.Number) })
	for i := 1; i < len(a.images); i++ {
		if a.images[i].Number == a.images[i-1].Number {
			return nil, fmt.Errorf("zip of %s: target %d is there twice", id, a.images[i].Number)
		}
	}
	return a, nil
}

func (a *Archive) add(f *zip.File) error {
	name := f.Name
	if strings.ContainsAny(name, `\:`) || path.IsAbs(name) || slices.Contains(strings.Split(name, "/"), "..") {
		return errors.New("leads out of the archive")
	}
	stem, isPNG := strings.CutSuffix(name, ".png")
	switch {
	case isPNG && !strings.Contains(name, "/"):
		target, err := ParseTargetID(stem)
		if err != nil {
			return errors.New("is not named like an image of a bin")
		}
		if target.Bin != a.id {
			return errors.New("is an image of another bin")
		}
		a.images = append(a.images, ArchiveImage{Number: target.Number, file: f})
	case name == a.id.String()+".csv":
		a.csv = f
	}
	return nil
}

// Images lists the images by ascending target number.
func (a *Archive) Images() []ArchiveImage { return a.images }

// PNG reads one image file and checks that its header is that of a PNG of sensible size, which it returns in px. A
// damaged entry is an error; more than [MaxPNG] bytes are never read, whatever the archive's directory says.
func (a *Archive) PNG(img ArchiveImage) (data []byte, width, height int, err error) {
	fail := func(err error) ([]byte, int, int, error) {
		return nil, 0, 0, fmt.Errorf("zip of %s: target %d: %w", a.id, img.Number, err)
	}
	data, err = readEntry(img.file, MaxPNG)
	if err != nil {
		return fail(err)
	}
	if width, height, err = CheckPNG(data); err != nil {
		return fail(err)
	}
	return data, width, height, nil
}

// Targets reads the archive's table of targets, with or without a header line. An archive without a table has none.
func (a *Archive) Targets() ([]Target, error) {
	if a.csv == nil {
		return nil, nil
	}
	in, err := a.csv.Open()
	if err != nil {
		return nil, fmt.Errorf("zip of %s: table: %w", a.id, err)
	}
	defer in.Close()
	targets, err := ReadTable(io.LimitReader(in, maxCSV), a.id.Schema())
	if err != nil {
		return targets, fmt.Errorf("zip of %s: table: %w", a.id, err)
	}
	return targets, nil
}

func readEntry(f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("%d bytes, the limit is %d", f.UncompressedSize64, limit)
	}
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data := make([]byte, 0, f.UncompressedSize64+1)
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, 512)
		}
		n, err := in.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, fmt.Errorf("more than %d bytes", limit)
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}
