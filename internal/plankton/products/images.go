package products

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// digits are the significant digits of a number in ifcb-features' tables.
const digits = 10

// Images are the files that ifcb-features makes of the images of a bin: a table of the images, a table of the blobs of
// images with several, and a zip of masks.
type Images struct {
	lid                 string
	features, multiblob *table
	masks               map[int][]byte // PNG files
}

// NewImages is for the images of the bin with this name.
func NewImages(lid string) *Images {
	return &Images{lid, newTable(columns(imaging.FeatureColumnsV4, "roi_number")...),
		newTable(columns(imaging.BlobColumnsV4, "roi_number", "blob_number")...), map[int][]byte{}}
}

func columns[R any](of []imaging.Column[R], first ...string) []string {
	for _, c := range of {
		first = append(first, c.Name)
	}
	return first
}

// Add adds what was found in an image, or puts it in the place of what there is of it.
func (m *Images) Add(number int, r *imaging.ResultV4) error {
	picture, err := r.Mask.PNG()
	if err != nil {
		return err
	}
	m.masks[number] = picture
	m.features.rows[number] = [][]string{row(imaging.FeatureColumnsV4, r, strconv.Itoa(number))}
	m.multiblob.rows[number] = nil
	if len(r.Blobs) > 1 {
		for i := range r.Blobs {
			m.multiblob.rows[number] = append(m.multiblob.rows[number],
				row(imaging.BlobColumnsV4, &r.Blobs[i], strconv.Itoa(number), strconv.Itoa(i+1)))
		}
	}
	return nil
}

func row[R any](of []imaging.Column[R], r *R, first ...string) []string {
	for _, c := range of {
		switch v := c.Value(r).(type) {
		case nil:
			first = append(first, "")
		case float64:
			first = append(first, strconv.FormatFloat(v, 'g', digits, 64))
		default:
			first = append(first, fmt.Sprint(v))
		}
	}
	return first
}

// Features is the table of the images, <bin>_features_v4.csv of ifcb-features.
func (m *Images) Features() ([]byte, error) { return m.features.encode() }

// Multiblob is the table of the blobs of images with several, <bin>_multiblob_v4.csv.
func (m *Images) Multiblob() ([]byte, error) { return m.multiblob.encode() }

// Blobs is the zip of masks, <bin>_blobs_v4.zip.
func (m *Images) Blobs() ([]byte, error) {
	var data bytes.Buffer
	w := zip.NewWriter(&data)
	for _, number := range slices.Sorted(maps.Keys(m.masks)) {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: imageName(m.lid, number) + ".png", Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(m.masks[number]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return data.Bytes(), err
}

// imageName is what tools call an image of a bin.
func imageName(lid string, number int) string { return fmt.Sprintf("%s_%05d", lid, number) }

// numberOf is the number of an image that tools call so, or by its number alone.
func numberOf(name string) (int, error) {
	number, err := strconv.Atoi(name[strings.LastIndexByte(name, '_')+1:])
	if err != nil {
		return 0, fmt.Errorf("%q does not name an image", name)
	}
	return number, nil
}

// featuresOver, multiblobOver and blobsOver put the images over those that an older file has, nil for no file.

func (m *Images) featuresOver(older []byte) ([]byte, error) { return tableOver(m.features, older) }

func (m *Images) multiblobOver(older []byte) ([]byte, error) { return tableOver(m.multiblob, older) }

func (m *Images) blobsOver(older []byte) ([]byte, error) {
	if older == nil {
		return m.Blobs()
	}
	r, err := zip.NewReader(bytes.NewReader(older), int64(len(older)))
	if err != nil {
		return nil, err
	}
	both := Images{lid: m.lid, masks: maps.Clone(m.masks)}
	for _, entry := range r.File {
		number, err := numberOf(strings.TrimSuffix(entry.Name, ".png"))
		if err != nil {
			return nil, err
		}
		if _, newer := m.masks[number]; newer {
			continue
		}
		if both.masks[number], err = readEntry(entry); err != nil {
			return nil, fmt.Errorf("entry %s: %w", entry.Name, err)
		}
	}
	return both.Blobs()
}

func tableOver(t *table, older []byte) ([]byte, error) {
	if older == nil {
		return t.encode()
	}
	old, err := readTable(older)
	if err != nil {
		return nil, err
	}
	both, err := t.over(old)
	if err != nil {
		return nil, err
	}
	return both.encode()
}

func readEntry(entry *zip.File) ([]byte, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // what was read was checked
	return io.ReadAll(r)
}
