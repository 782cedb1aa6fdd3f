package smt

import (
	"context"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/dateformat"
)

var _ connector.Transform = (*TimestampRouter)(nil)

func init() { connector.RegisterTransform(func() connector.Transform { return new(TimestampRouter) }) }

// TimestampRouter makes a topic's name of the old one and the record's timestamp.
type TimestampRouter struct {
	topic  string
	format *dateformat.Format
}

// Info describes the plugin.
func (*TimestampRouter) Info() connector.Info {
	return connector.Info{Name: "timestamp-router", Version: Version, Class: javaPackage + "TimestampRouter",
		Doc: "Renames topics by the record's timestamp."}
}

// ConfigDef gives Kafka's keys.
func (*TimestampRouter) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "topic.format", Type: connector.StringKey, Default: "${topic}-${timestamp}", Importance: connector.High,
			Doc: "Format string which can contain <code>${topic}</code> and <code>${timestamp}</code> as placeholders for the topic and timestamp, respectively."},
		connector.Key{Name: "timestamp.format", Type: connector.StringKey, Default: "yyyyMMdd", Importance: connector.High,
			Check: func(_ string, v any) error {
				text, _ := v.(string)
				_, err := dateformat.Compile(text)
				return err
			},
			Doc: "Format string for the timestamp that is compatible with <code>java.text.SimpleDateFormat</code>."},
	)
}

// Configure compiles the format.
func (t *TimestampRouter) Configure(_ connector.Context, conf connector.Config) error {
	t.topic = conf.String("topic.format")
	var err error
	t.format, err = dateformat.Compile(conf.String("timestamp.format"))
	return err
}

// Apply renames one record's topic.
func (t *TimestampRouter) Apply(_ context.Context, r connector.Record) (connector.Record, bool, error) {
	if r.Timestamp == connector.NoTimestamp {
		return r, false, dataf("Timestamp missing on record: topic %s, partition %d", r.Topic, r.Partition)
	}
	topic := strings.ReplaceAll(t.topic, "${topic}", r.Topic)
	r.Topic = strings.ReplaceAll(topic, "${timestamp}", t.format.Format(time.UnixMilli(r.Timestamp)))
	return r, true, nil
}
