package smt

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
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
		return r, false, dataf("Timestamp missing on record: %s", shownRecord(r))
	}
	topic := strings.ReplaceAll(t.topic, "${topic}", r.Topic)
	r.Topic = strings.ReplaceAll(topic, "${timestamp}", t.format.Format(time.UnixMilli(r.Timestamp)))
	return r, true, nil
}

// shownRecord writes a record without a timestamp as Java does, but for what may
// be private: its key, value and headers. Where a source has it from is not known here.
func shownRecord(r connector.Record) string {
	part := func(s *connector.Schema, v any) (value, schema string) {
		value, schema = "null", "null"
		if v != nil {
			value = "[hidden]"
		}
		if s != nil {
			schema = "Schema{" + cmp.Or(s.Name(), strings.ToUpper(s.Type().String())) + "}"
		}
		return value, schema
	}
	key, keySchema := part(r.KeySchema, r.Key)
	value, valueSchema := part(r.ValueSchema, r.Value)
	partition, headers, origin := "null", "", ""
	if r.Partition != connector.AnyPartition {
		partition = strconv.Itoa(int(r.Partition))
	}
	if len(r.Headers) > 0 {
		headers = "[hidden]"
	}
	if o := r.Origin; !o.IsZero() {
		kind := map[connector.TimestampType]string{connector.CreateTime: "CreateTime", connector.LogAppendTime: "LogAppendTime"}[r.TimestampType]
		origin = fmt.Sprintf("SinkRecord{kafkaOffset=%d, timestampType=%s, originalTopic=%s, originalKafkaPartition=%d, originalKafkaOffset=%d} ",
			o.Offset, cmp.Or(kind, "NoTimestampType"), o.Topic, o.Partition, o.Offset)
	}
	return origin + fmt.Sprintf("ConnectRecord{topic='%s', kafkaPartition=%s, key=%s, keySchema=%s, value=%s, valueSchema=%s, timestamp=null, headers=ConnectHeaders(headers=%s)}",
		r.Topic, partition, key, keySchema, value, valueSchema, headers)
}
