package features

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// productDigits are the significant digits of a number in ifcb-features' tables.
const productDigits = 10

// products writes the files that ifcb-features makes of a bin, or the same of a single image: a table of the images, a
// table of the blobs of images with several, and a zip of masks. They appear under their names when all are complete.
type products struct {
	lid                 string // name of the bin
	features, multiblob *csv.Writer
	blobs               *zip.Writer
	files               []*os.File
	paths               []string // of the files in the end
}

// productNames gives what the products of a path begin with, and the bin's name: a bin's .adc, BIN.adc#LINE, or a PNG
// that is named as dashboards do.
func productNames(path string) (stem, lid string, err error) {
	file, line, single := strings.Cut(path, ".adc#")
	name := filepath.Base(path)
	switch {
	case single:
		lid = filepath.Base(file)
		number, err := strconv.Atoi(line)
		if err != nil {
			return "", "", fmt.Errorf("%s: %q is no line of an .adc file", path, line)
		}
		return fmt.Sprintf("%s_%05d", lid, number), lid, nil
	case strings.HasSuffix(name, ".adc"):
		lid = strings.TrimSuffix(name, ".adc")
		return lid, lid, nil
	}
	target, err := ifcb.ParseTargetID(strings.TrimSuffix(name, filepath.Ext(name)))
	if err != nil {
		return "", "", fmt.Errorf("%s: its number in its bin is a column of the tables: want a name such as D20220522T003051_IFCB134_00042.png", path)
	}
	return target.String(), target.Bin.String(), nil
}

// newProducts begins files whose names begin with stem, in a folder that is made if need be.
func newProducts(folder, stem, lid string) (*products, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("--products: %w", err)
	}
	p := &products{lid: lid}
	for _, name := range []string{"_features_v4.csv", "_multiblob_v4.csv", "_blobs_v4.zip"} {
		f, err := os.CreateTemp(folder, stem+name+".*.part")
		if err != nil {
			p.discard()
			return nil, fmt.Errorf("--products: %w", err)
		}
		p.files = append(p.files, f)
		p.paths = append(p.paths, filepath.Join(folder, stem+name))
	}
	p.features, p.multiblob, p.blobs = csv.NewWriter(p.files[0]), csv.NewWriter(p.files[1]), zip.NewWriter(p.files[2])
	err := errors.Join(p.features.Write(append([]string{"roi_number"}, names(imaging.FeatureColumnsV4)...)),
		p.multiblob.Write(append([]string{"roi_number", "blob_number"}, names(imaging.BlobColumnsV4)...)))
	if err != nil {
		p.discard()
		return nil, fmt.Errorf("--products: %w", err)
	}
	return p, nil
}

// add adds what was found in an image.
func (p *products) add(number int, r *imaging.ResultV4) error {
	row := append([]any{number}, valuesOf(imaging.FeatureColumnsV4, r, nil)...)
	if err := p.features.Write(texts(row, productDigits)); err != nil {
		return fmt.Errorf("--products: %w", err)
	}
	if len(r.Blobs) > 1 {
		for i := range r.Blobs {
			row := append([]any{number, i + 1}, valuesOf(imaging.BlobColumnsV4, &r.Blobs[i], nil)...)
			if err := p.multiblob.Write(texts(row, productDigits)); err != nil {
				return fmt.Errorf("--products: %w", err)
			}
		}
	}
	picture, err := r.Mask.PNG()
	if err != nil {
		return fmt.Errorf("--products: %s: %w", p.lid, err)
	}
	entry, err := p.blobs.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%s_%05d.png", p.lid, number), Method: zip.Store})
	if err == nil {
		_, err = entry.Write(picture)
	}
	if err != nil {
		return fmt.Errorf("--products: %w", err)
	}
	return nil
}

// finish completes the files.
func (p *products) finish() error {
	p.features.Flush()
	p.multiblob.Flush()
	err := errors.Join(p.features.Error(), p.multiblob.Error(), p.blobs.Close())
	for _, f := range p.files {
		err = errors.Join(err, f.Chmod(0o644), f.Close())
	}
	for i, f := range p.files {
		if err == nil {
			err = os.Rename(f.Name(), p.paths[i])
		}
	}
	if err != nil {
		return fmt.Errorf("--products: %w", err)
	}
	p.files = nil
	return nil
}

// discard removes the files if they were not finished. What it cannot remove stays as .part.
func (p *products) discard() {
	for _, f := range p.files {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}
