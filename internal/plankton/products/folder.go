package products

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/axiom-data-science/hydraulics/internal/files"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// The names with which files end where nothing else is wanted: those that pyifcb's product directories look for.
const (
	ClassSuffix    = "_class"
	FeaturesSuffix = "_fea_v4"
)

// ErrForeign is wrapped by the error of a file that is there and cannot be added to.
var ErrForeign = errors.New("move it away to have it made anew")

// Folder is where the files of bins are.
type Folder struct {
	Path string
	// Class and Features are what the names of the class scores and of the table of features have behind the bin's, in
	// front of .h5 and .csv.
	Class, Features string
	// NoFeatures and NoBlobs leave out the products of these names.
	NoFeatures, NoBlobs bool
}

// Images tells whether a product that is made of images is wanted.
func (f Folder) Images() bool { return !f.NoFeatures || !f.NoBlobs }

// Add puts images and scores over what the files of a bin have of the same images; either may be nil. Each file is
// replaced as a whole. What is added again changes nothing. It is for one caller at a time, of all processes.
func (f Folder) Add(bin ifcb.BinID, images *Images, scores *Scores) error {
	lid := bin.String()
	renew := func(kind, name string, over func(older []byte) ([]byte, error)) error {
		path := filepath.Join(f.Path, kind, year(bin), bin.Day(), name)
		if err := renew(path, over); err != nil {
			return fmt.Errorf("bin %s: %w", bin, err)
		}
		return nil
	}
	if scores != nil {
		all := scores
		err := renew("class_scores", lid+f.Class+".csv", func(older []byte) (data []byte, err error) {
			if all, err = scores.over(older); err != nil {
				return nil, err
			}
			return all.CSV()
		})
		if err == nil {
			err = renew("class_scores", lid+f.Class+".h5", func(older []byte) ([]byte, error) {
				if older != nil && all == scores {
					return nil, errors.New("it has no table beside it, it is another program's")
				}
				return all.HDF5()
			})
		}
		if err != nil {
			return err
		}
	}
	if images == nil {
		return nil
	}
	if !f.NoFeatures {
		err := renew("features", lid+f.Features+".csv", images.featuresOver)
		if err == nil {
			err = renew("features", filepath.Join("multiblob", lid+"_multiblob_v4.csv"), images.multiblobOver)
		}
		if err != nil {
			return err
		}
	}
	if f.NoBlobs {
		return nil
	}
	return renew("blobs", lid+"_blobs_v4.zip", images.blobsOver)
}

// year is the name of the folder of a year's days. It is part of the names of all bins of the year.
func year(bin ifcb.BinID) string {
	if bin.Schema() == ifcb.SchemaV1 {
		return bin.Time().Format("2006")
	}
	return "D" + bin.Time().Format("2006")
}

// renew makes the file at a path from what it has, nil where it is not there.
func renew(path string, over func(older []byte) ([]byte, error)) error {
	older, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := over(older)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", path, err, ErrForeign)
	}
	if older != nil && bytes.Equal(older, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return files.Replace(path, data, 0o644)
}
