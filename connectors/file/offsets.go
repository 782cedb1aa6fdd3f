package file

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.OffsetAlterer      = (*Source)(nil)
	_ connector.TopicOffsetAlterer = (*Sink)(nil)
)

// AlterOffsets looks at offsets that people set. The errors have the words of
// FileStreamSourceConnector. Any offset may be reset, also one of another file.
func (*Source) AlterOffsets(_ context.Context, _ connector.Context, conf connector.Config, offsets []connector.SourceOffset) error {
	if conf.String("file") == "" {
		return errors.New("Offsets cannot be modified if the 'file' configuration is unspecified. " +
			"This is because stdin is used for input and offsets are not tracked.")
	}
	for _, o := range offsets {
		if o.Offset == nil {
			continue
		}
		position, ok := o.Offset["position"]
		if !ok {
			return errors.New("Offset objects should either be null or contain the key 'position'")
		}
		number, ok := position.(json.Number)
		at, err := number.Int64()
		switch {
		case !ok || err != nil:
			return errors.New("The value for the 'position' key in the offset is expected to be a Long value")
		case at < 0:
			return errors.New("The value for the 'position' key in the offset should be a non-negative value")
		case o.Partition == nil:
			return errors.New("Partition objects cannot be null")
		}
		if _, ok := o.Partition["filename"]; !ok {
			return errors.New("Partition objects should contain the key 'filename'")
		}
	}
	return nil
}

// AlterTopicOffsets has nothing against any offset: the file keeps none.
func (*Sink) AlterTopicOffsets(context.Context, connector.Context, connector.Config, map[connector.TopicPartition]*int64) error {
	return nil
}
