package main

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

// newIFCBCommand makes `hydraulics ifcb`, the tools for images of an Imaging FlowCytobot.
func newIFCBCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ifcb",
		Short: "Work with bins and images of an Imaging FlowCytobot",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newFeaturesCommand(), newGapsCommand())
	return cmd
}

// featuresOptions are the flags of `hydraulics ifcb features`.
type featuresOptions struct {
	algorithm, format, products string
	raw                         bool
	pixelsPerMicron             float64
}

func newFeaturesCommand() *cobra.Command {
	var o featuresOptions
	cmd := &cobra.Command{
		Use:   "features PATH...",
		Short: "Measure the particles in images: area, shape, biovolume, carbon",
		Long: "Prints one row per image. PATH is a PNG, the .adc file of a bin (all its images) or BIN.adc#LINE.\n" +
			"A particle that an old camera cut in two is stitched as dashboards do, under the first one's number.\n" +
			"An image without a particle has a row too, its status says no_blob. Volumes are in px^3 and um^3, carbon in pg.\n" +
			"Algorithm v4 gives what WHOIGit/ifcb-features gives, under its names; --products DIR also writes its files of each PATH:\n" +
			"<bin>_features_v4.csv, <bin>_multiblob_v4.csv and <bin>_blobs_v4.zip; of a single image they begin with <bin>_<number>.",
		Example: "  hydraulics ifcb features D20220522T003051_IFCB134.adc > features.csv\n" +
			"  hydraulics ifcb features --algorithm v4 --products out D20220522T003051_IFCB134.adc\n" +
			"  hydraulics ifcb features --format json D20220522T003051_IFCB134.adc#3",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			cmd.SilenceUsage = true // what follows is no mistake in the command line
			if err := o.check(paths); err != nil {
				return err
			}
			out, err := newFeaturesWriter(o.format, algorithms[o.algorithm].columns, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return errors.Join(o.run(paths, out), out.close())
		},
	}
	cmd.Flags().StringVar(&o.algorithm, "algorithm", imaging.Seed, "how particles are found and measured: seed, the original's, or v4, of ifcb-features")
	cmd.Flags().StringVar(&o.products, "products", "", "with v4, a folder for ifcb-features' own files of each bin or image")
	cmd.Flags().StringVar(&o.format, "format", "csv", "csv or json")
	cmd.Flags().BoolVar(&o.raw, "raw", false, "take the lines of a bin as they stand, nothing stitched")
	cmd.Flags().Float64Var(&o.pixelsPerMicron, "pixels-per-micron", imaging.DefaultPixelsPerMicron, "resolution of the camera")
	return cmd
}

func (o *featuresOptions) check(paths []string) error {
	if _, ok := algorithms[o.algorithm]; !ok {
		return fmt.Errorf("--algorithm: %q is not known, want %s or %s", o.algorithm, imaging.Seed, imaging.V4)
	}
	if o.products != "" {
		if o.algorithm != imaging.V4 {
			return fmt.Errorf("--products: they are of --algorithm %s", imaging.V4)
		}
		for _, path := range paths {
			if _, _, err := productNames(path); err != nil {
				return fmt.Errorf("--products: %w", err)
			}
		}
	}
	if !(o.pixelsPerMicron >= 0.01 && o.pixelsPerMicron <= 1000) {
		return fmt.Errorf("--pixels-per-micron: %v is not between 0.01 and 1000", o.pixelsPerMicron)
	}
	return nil
}

// picture is an image that is loaded when its turn comes.
type picture struct {
	id     string
	number int // in its bin; 0 of a PNG that is named otherwise
	load   func() (*image.Gray, error)
}

// run measures everything that paths name, in order. What cannot be read does not keep the rest from being measured:
// the error names all of it.
func (o *featuresOptions) run(paths []string, out featuresWriter) error {
	filters := imaging.NewFilters(256 << 20)
	analysers := make([]*imaging.Analyser, runtime.GOMAXPROCS(0))
	for i := range analysers {
		analysers[i] = imaging.NewAnalyser(imaging.Options{PixelsPerMicron: o.pixelsPerMicron, Filters: filters})
	}
	var bad []error
	for _, path := range paths {
		pictures, closeAll, err := o.open(path)
		if err != nil {
			bad = append(bad, err)
		}
		if err == nil || len(pictures) > 0 { // a truncated bin has both
			var unreadable []error
			unreadable, err = o.runAll(analysers, path, pictures, out)
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
func (o *featuresOptions) runAll(analysers []*imaging.Analyser, path string, pictures []picture, out featuresWriter) (unreadable []error, err error) {
	var p *products
	if o.products != "" {
		stem, lid, err := productNames(path)
		if err != nil {
			return nil, fmt.Errorf("--products: %w", err)
		}
		if p, err = newProducts(o.products, stem, lid); err != nil {
			return nil, err
		}
		defer p.discard()
	}
	for batch := range slices.Chunk(pictures, 64) {
		for i, m := range measureAll(analysers, batch, algorithms[o.algorithm].measure) {
			if m.err != nil {
				unreadable = append(unreadable, m.err)
				continue
			}
			if err := out.row(batch[i].id, m.values); err != nil {
				return unreadable, err
			}
			if p != nil {
				if err := p.add(batch[i].number, m.v4); err != nil {
					return unreadable, err
				}
			}
		}
	}
	if p != nil {
		return unreadable, p.finish()
	}
	return unreadable, nil
}

// measureAll measures pictures, one per analyser at a time, and returns when all are done.
func measureAll(analysers []*imaging.Analyser, pictures []picture, measure measureFunc) []measured {
	found := make([]measured, len(pictures))
	var next atomic.Int64
	var wait sync.WaitGroup
	for _, analyser := range analysers[:min(len(analysers), len(pictures))] {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(pictures)); i = next.Add(1) - 1 {
				gray, err := pictures[i].load()
				if err == nil {
					found[i], err = measure(analyser, gray)
				}
				if err != nil {
					found[i].err = fmt.Errorf("%s: %w", pictures[i].id, err)
				}
			}
		})
	}
	wait.Wait()
	return found
}

// open lists the pictures of a path. An error may come with pictures: those of a bin whose .adc is truncated.
func (o *featuresOptions) open(path string) (pictures []picture, closeAll func() error, err error) {
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
func (o *featuresOptions) openBin(path string, number int) ([]picture, func() error, error) {
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

func (o *featuresOptions) choose(bin *ifcb.Bin, number int) ([]ifcb.ROI, error) {
	one, all := bin.ServedAt, bin.Served
	if o.raw {
		one, all = bin.RawAt, bin.Raw
	}
	if number == 0 {
		if bin.Truncated != nil {
			return all(), fmt.Errorf("bin %s: %w", bin.ID, bin.Truncated)
		}
		return all(), nil
	}
	roi, err := one(number)
	if err != nil {
		return nil, err
	}
	return []ifcb.ROI{roi}, nil
}
