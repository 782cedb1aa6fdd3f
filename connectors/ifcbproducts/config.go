package ifcbproducts

import (
	"errors"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/products"
)

// The products.
const (
	classScores = "class"
	features    = "features"
	blobs       = "blobs"
)

// ConfigDef gives the keys.
func (*Sink) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "folder", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Path: true, Importance: connector.High,
			Doc: "Folder for the files; it has to be there. In it are class_scores, features and blobs, which are the paths of a dashboard's data directories (ifcbdb: kind class_scores of version 3, features and blobs of version 4); in these a folder for each year and day."},
		connector.Key{Name: "products", Type: connector.ListKey, Default: strings.Join([]string{classScores, features, blobs}, ","),
			Check: connector.ListOf(false, classScores, features, blobs),
			Doc:   "What is written: class (scores of all classes, HDF5 and CSV), features (measures as ifcb-features 1.3 has them, CSV), blobs (masks, a zip of PNG files)."},
		connector.Key{Name: "image.field", Type: connector.StringKey, Default: "image", Check: connector.NotEmpty,
			Doc: "Field that holds the image, a PNG as bytes or in base64, for features and blobs."},
		connector.Key{Name: "scores.field", Type: connector.StringKey, Default: "scores", Check: connector.NotEmpty,
			Doc: "Field that holds the probability of each class: the scores.field of a transform classify."},
		connector.Key{Name: "classifier.field", Type: connector.StringKey, Default: "classifier",
			Doc: "Field with the model's name and version, for the metadata of class scores."},
		connector.Key{Name: "time.field", Type: connector.StringKey, Default: "classification_time",
			Doc: "Field with the time of the classification, seconds since 1970 UTC, for the metadata of class scores."},
		connector.Key{Name: "class.suffix", Type: connector.StringKey, Default: products.ClassSuffix, Check: checkSuffix, Importance: connector.Low,
			Doc: "What the names of class scores have between the bin and .h5. Dashboards look for _class, some tools for _class_v3."},
		connector.Key{Name: "features.suffix", Type: connector.StringKey, Default: products.FeaturesSuffix, Check: checkSuffix, Importance: connector.Low,
			Doc: "What the names of features have between the bin and .csv. Dashboards look for _fea_v4, ifcb-features itself writes _features_v4."},
	)
}

func checkSuffix(_ string, v any) error {
	if text, _ := v.(string); !strings.HasPrefix(text, "_") || strings.ContainsAny(text, "/\\") {
		return errors.New("it must begin with _ and name no folder")
	}
	return nil
}
