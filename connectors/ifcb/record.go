package ifcb

import (
	"encoding/base64"
	"math"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// ImageSchema is the schema of the values with format=avro. Facts that a bin's files or its dashboard do not tell are
// null. The light values are those of the .adc: v2 the integrated photomultiplier voltages A to D; old instruments have
// no such columns.
var ImageSchema = connector.StructOf("ifcb.image", slices.Concat([]connector.Field{
	connector.F("pid", connector.StringSchema.WithDoc("Name of the bin, such as D20190728T212639_IFCB104.")),
	connector.F("ifcb_id", connector.StringSchema.WithDoc("Instrument, such as IFCB104.")),
	connector.F("time", connector.Int64Schema.WithDoc("When the sample was taken, seconds since 1970 UTC.")),
	connector.F("roi", connector.Int32Schema.WithDoc("Number of the image in its bin: the line of the .adc file, from 1.")),
	connector.F("image", connector.BytesSchema.WithDoc("The image, a PNG file.")),
	connector.F("width", connector.Int32Schema.WithDoc("Width of the image, px.")),
	connector.F("height", connector.Int32Schema.WithDoc("Height of the image, px.")),
	connector.F("dataset", connector.StringSchema.WithDoc("Dataset or time series of the dashboard.")),
	connector.F("ml_analyzed", connector.OptionalFloat64Schema.WithDoc("Volume of water that was looked at, ml; null when unknown, never 0.")),
	connector.F("latitude", connector.OptionalFloat64Schema.WithDoc("Where the sample was taken, degrees north.")),
	connector.F("longitude", connector.OptionalFloat64Schema.WithDoc("Where the sample was taken, degrees east.")),
	connector.F("depth", connector.OptionalFloat64Schema.WithDoc("Depth of the sample, m.")),
	connector.F("pmt_a", connector.OptionalFloat64Schema.WithDoc("Photomultiplier A, integrated, V.")),
	connector.F("pmt_b", connector.OptionalFloat64Schema.WithDoc("Photomultiplier B, integrated, V.")),
	connector.F("pmt_c", connector.OptionalFloat64Schema.WithDoc("Photomultiplier C, integrated, V.")),
	connector.F("pmt_d", connector.OptionalFloat64Schema.WithDoc("Photomultiplier D, integrated, V.")),
}, runFields)...)

// record makes an image's record, without its offset.
func (l *timeline) record(b *bin, img image) connector.SourceRecord {
	key := b.id.Target(img.number).String()
	var r connector.Record
	if l.opts.format == formatJSON {
		r = connector.NewRecord(l.opts.topic, connector.StringSchema, key, nil, map[string]any{
			"ifcb_id": b.id.IFCB(), "datetime": b.id.Time().Unix(), "roi": int64(img.number),
			"image": base64.StdEncoding.EncodeToString(img.png),
		})
	} else {
		var light [4]any
		if t, ok := b.targets[img.number]; ok && b.id.Schema() == ifcb.SchemaV2 {
			for i, v := range t.Light {
				light[i] = optionalNumber(v, !math.IsNaN(v))
			}
		}
		r = connector.NewRecord(l.opts.topic, connector.StringSchema, key, ImageSchema, connector.StructFrom(ImageSchema, append(append([]any{
			b.id.String(), b.id.IFCB(), b.id.Time().Unix(), int32(img.number), img.png, int32(img.width), int32(img.height),
			l.address.Series(), b.sample.volume, b.sample.latitude, b.sample.longitude, b.sample.depth,
			light[0], light[1], light[2], light[3],
		}, b.sample.run()...), b.sample.imageURL(img.number))))
	}
	return connector.SourceRecord{Record: r, SourcePartition: l.partition()}
}
