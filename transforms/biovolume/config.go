package biovolume

import (
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
)

const (
	onNoBlobFail = "fail"
	onNoBlobNull = "null"
)

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "algorithm", Type: connector.StringKey, Default: imaging.Seed, Check: connector.OneOf(imaging.Seed, imaging.V4),
			Doc: "How the particle is found and measured. seed is what the original hydraulics computes, all parts of the particle taken as one. v4 is what WHOIGit/ifcb-features 1.3 computes, of the largest of the parts. Their volumes differ: do not mix them in one table."},
		connector.Key{Name: "image.field", Type: connector.StringKey, Default: "image", Check: connector.NotEmpty,
			Doc: "Field that holds the image, a PNG as bytes or in base64."},
		connector.Key{Name: "pixels.per.micron", Type: connector.DoubleKey, Default: 3.4, Check: connector.Between(0.01, 1000),
			Doc: "Resolution of the camera; other groups use 2.77."},
		connector.Key{Name: "mask", Type: connector.BooleanKey, Default: false,
			Doc: "Whether to add a grey PNG of the particle's pixels, 255 on 0, as the field mask."},
		connector.Key{Name: "outline", Type: connector.BooleanKey, Default: false,
			Doc: "Whether to add a PNG of the image with the particle's outline as the field outline."},
		connector.Key{Name: "on.no.blob", Type: connector.StringKey, Default: onNoBlobFail, Check: connector.OneOf(onNoBlobFail, onNoBlobNull),
			Doc: "What becomes of an image without a measurable particle: fail makes it an error of the record, null adds its fields as null and the reason as biovolume_status. A field that is no image is an error either way."},
	)
}
