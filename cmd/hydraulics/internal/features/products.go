package features

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/files"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/plankton/products"
)

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

// writeProducts writes the files that ifcb-features makes of a bin, or the same of a single image, under names that begin
// with stem, into a folder that is made if need be.
func writeProducts(folder, stem string, images *products.Images) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("--products: %w", err)
	}
	for _, file := range []struct {
		name   string
		encode func() ([]byte, error)
	}{{"_features_v4.csv", images.Features}, {"_multiblob_v4.csv", images.Multiblob}, {"_blobs_v4.zip", images.Blobs}} {
		data, err := file.encode()
		if err == nil {
			err = files.Replace(filepath.Join(folder, stem+file.name), data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("--products: %w", err)
		}
	}
	return nil
}
