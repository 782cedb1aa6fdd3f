// Package features measures the particles in images and bins, and writes what it finds as tables.
package features

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/plankton/products"
)

// Options say how to measure, and what to write.
type Options struct {
	Algorithm       string  // imaging.Seed or imaging.V4
	Format          string  // of the rows: csv or json
	Products        string  // folder for the files that ifcb-features makes, with imaging.V4; empty for none
	Raw             bool    // take the lines of a bin as they stand, nothing stitched
	PixelsPerMicron float64 // resolution of the camera
}

// Run measures what paths name, PNG files and bins, and writes a row for each image.
func (o *Options) Run(paths []string, to io.Writer) error {
	if err := o.check(paths); err != nil {
		return err
	}
	out, err := newWriter(o.Format, algorithms[o.Algorithm].columns, to)
	if err != nil {
		return err
	}
	return errors.Join(o.measure(paths, out), out.close())
}

func (o *Options) check(paths []string) error {
	if _, ok := algorithms[o.Algorithm]; !ok {
		return fmt.Errorf("--algorithm: %q is not known, want %s or %s", o.Algorithm, imaging.Seed, imaging.V4)
	}
	if o.Products != "" {
		if o.Algorithm != imaging.V4 {
			return fmt.Errorf("--products: they are of --algorithm %s", imaging.V4)
		}
		for _, path := range paths {
			if _, _, err := productNames(path); err != nil {
				return fmt.Errorf("--products: %w", err)
			}
		}
	}
	if !(o.PixelsPerMicron >= 0.01 && o.PixelsPerMicron <= 1000) {
		return fmt.Errorf("--pixels-per-micron: %v is not between 0.01 and 1000", o.PixelsPerMicron)
	}
	return nil
}

// picture is an image that is loaded when its turn comes.
type picture struct {
	id     string
	number int // in its bin; 0 of a PNG that is named otherwise
	load   func() (*image.Gray, error)
}

// measure measures everything that paths name, in order. What cannot be read does not keep the rest from being measured:
// the error names all of it.
func (o *Options) measure(paths []string, out rowWriter) error {
	pool := imaging.NewPool(imaging.Options{PixelsPerMicron: o.PixelsPerMicron, Filters: imaging.NewFilters(256 << 20)})
	var bad []error
	for _, path := range paths {
		pictures, closeAll, err := o.open(path)
		if err != nil {
			bad = append(bad, err)
		}
		if err == nil || len(pictures) > 0 { // a truncated bin has both
			var unreadable []error
			unreadable, err = o.runAll(pool, path, pictures, out)
			bad = append(bad, unreadable...)
			if err != nil {
				return errors.Join(append(bad, err, closeAll())...)
			}
		}
		if err := closeAll(); err != nil {
			bad = append(bad, err)
		}
	}
	return errors.Join(bad...)
}

// runAll measures the pictures of a path. It gives the errors of single pictures, and one that ends everything.
func (o *Options) runAll(pool *imaging.Pool, path string, pictures []picture, out rowWriter) (unreadable []error, err error) {
	var stem string
	var images *products.Images
	if o.Products != "" {
		var lid string
		if stem, lid, err = productNames(path); err != nil {
			return nil, fmt.Errorf("--products: %w", err)
		}
		images = products.NewImages(lid)
	}
	for batch := range slices.Chunk(pictures, 64) {
		for i, m := range measureAll(pool, batch, algorithms[o.Algorithm].measure) {
			if m.err != nil {
				unreadable = append(unreadable, m.err)
				continue
			}
			if err := out.row(batch[i].id, m.values); err != nil {
				return unreadable, err
			}
			if images != nil {
				if err := images.Add(batch[i].number, m.v4); err != nil {
					return unreadable, fmt.Errorf("--products: %s: %w", batch[i].id, err)
				}
			}
		}
	}
	if images != nil {
		return unreadable, writeProducts(o.Products, stem, images)
	}
	return unreadable, nil
}

// measureAll measures pictures, several at a time, and returns when all are done.
func measureAll(pool *imaging.Pool, pictures []picture, measure measureFunc) []measured {
	found := make([]measured, len(pictures))
	pool.Each(len(pictures), func(analyser *imaging.Analyser, i int) {
		gray, err := pictures[i].load()
		if err == nil {
			found[i], err = measure(analyser, gray)
		}
		if err != nil {
			found[i].err = fmt.Errorf("%s: %w", pictures[i].id, err)
		}
	})
	return found
}

// open lists the pictures of a path. An error may come with pictures: those of a bin whose .adc is damaged.
func (o *Options) open(path string) (pictures []picture, closeAll func() error, err error) {
	nothing := func() error { return nil }
	file, line, hasLine := strings.Cut(path, ".adc#")
	switch {
	case hasLine:
		number, err := strconv.Atoi(line)
		if err != nil || number < 1 {
			return nil, nothing, fmt.Errorf("%s: %q is no line of an .adc file, they count from 1", path, line)
		}
		return o.openBin(file+".adc", number)
	case strings.HasSuffix(path, ".adc"):
		return o.openBin(path, 0)
	case strings.EqualFold(filepath.Ext(path), ".png"):
		id, number := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), 0
		if target, err := ifcb.ParseTargetID(id); err == nil {
			number = target.Number
		}
		return []picture{{id: id, number: number, load: func() (*image.Gray, error) {
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			return imaging.DecodePNG(data)
		}}}, nothing, nil
	}
	return nil, nothing, fmt.Errorf("%s: want a .png, an .adc or .adc#LINE", path)
}

// openBin lists the pictures of a bin, or the one with a number that is not 0.
func (o *Options) openBin(path string, number int) ([]picture, func() error, error) {
	bin, err := ifcb.Open(path)
	if err != nil {
		return nil, func() error { return nil }, err
	}
	rois, err := o.choose(bin, number)
	if err == nil && !bin.HasPixels() {
		return nil, bin.Close, fmt.Errorf("bin %s: %s is missing, the images are in it", bin.ID, strings.TrimSuffix(path, ".adc")+".roi")
	}
	pictures := make([]picture, len(rois))
	for i, roi := range rois {
		pictures[i] = picture{bin.ID.Target(roi.Number).String(), roi.Number, func() (*image.Gray, error) { return bin.Gray(roi) }}
	}
	return pictures, bin.Close, err
}

func (o *Options) choose(bin *ifcb.Bin, number int) ([]ifcb.ROI, error) {
	one, all := bin.ServedAt, bin.Served
	if o.Raw {
		one, all = bin.RawAt, bin.Raw
	}
	if number == 0 {
		problems := []error{bin.Truncated}
		for _, t := range ifcb.Unreadable(bin.Targets) {
			problems = append(problems, t.Bad)
		}
		if err := errors.Join(problems...); err != nil {
			return all(), fmt.Errorf("bin %s: %w", bin.ID, err)
		}
		return all(), nil
	}
	roi, err := one(number)
	if err != nil {
		return nil, err
	}
	return []ifcb.ROI{roi}, nil
}
