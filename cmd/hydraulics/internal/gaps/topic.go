package gaps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// read gives the last record of each bin of each dataset.
func (o *Options) read(ctx context.Context, settings connector.Props) (map[string]outcome, error) {
	decode, closeAll, err := o.decoder()
	if err != nil {
		return nil, err
	}
	defer closeAll()
	client, err := kafka.Open(ctx, kafka.Options{Bootstrap: strings.Split(o.Broker, ","), Props: connection.Keys(settings, "consumer.")})
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	defer client.Close()
	n, err := client.Partitions(ctx, o.Topic)
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", o.Topic, err)
	}
	last := map[string]outcome{}
	for i := range n {
		err := client.ReadPartition(ctx, connector.TopicPartition{Topic: o.Topic, Partition: i}, 0, func(m kafka.Message) error {
			if m.Value == nil {
				return nil
			}
			b, err := decode(ctx, m.Value)
			if err == nil && (b.PID == "" || b.Status == "") {
				err = errors.New("it is no record of a bin: is it the topic of bins.topic?")
			}
			if err != nil {
				return fmt.Errorf("topic %s partition %d offset %d: %w", o.Topic, i, m.Offset, err)
			}
			last[b.Dashboard+"\n"+b.Dataset+"\n"+b.PID] = b
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return last, nil
}

type decodeBin func(ctx context.Context, value []byte) (outcome, error)

// decoder reads Avro with the registry's schemas, and JSON with or without one.
func (o *Options) decoder() (decodeBin, func(), error) {
	avro, closeAvro, err := o.avro()
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, value []byte) (outcome, error) {
		switch {
		case len(value) > 0 && value[0] == 0 && avro == nil:
			return outcome{}, errors.New("it is Avro: add --registry URL")
		case len(value) > 0 && value[0] == 0:
			_, v, err := avro.ToConnect(ctx, o.Topic, value)
			if err != nil {
				return outcome{}, err
			}
			return fromStruct(v)
		}
		var b struct {
			outcome
			Payload *outcome `json:"payload"`
		}
		if err := json.Unmarshal(value, &b); err != nil {
			return outcome{}, err
		}
		if b.Payload != nil {
			return *b.Payload, nil
		}
		return b.outcome, nil
	}, closeAvro, nil
}

// avro makes the converter, nil without a registry.
func (o *Options) avro() (connector.Converter, func(), error) {
	if o.Registry == "" {
		return nil, func() {}, nil
	}
	plugin, err := connector.Plugins.New(connector.ConverterType, "avro")
	if err != nil {
		return nil, nil, err
	}
	conf, err := connector.ParsePlugin(plugin, connector.Props{"schema.registry.url": o.Registry})
	if err != nil {
		return nil, nil, fmt.Errorf("--registry: %w", err)
	}
	converter := plugin.(connector.Converter)
	if err := converter.Configure(connector.Context{}, conf, false); err != nil {
		return nil, nil, fmt.Errorf("--registry: %w", err)
	}
	return converter, func() {
		if c, ok := plugin.(connector.Closer); ok {
			_ = c.Close() // nothing was written
		}
	}, nil
}

// fromStruct reads the fields that there are, of whatever version of the schema.
func fromStruct(v any) (b outcome, err error) {
	s, ok := v.(*connector.Struct)
	if !ok {
		return b, fmt.Errorf("it is a %T, no record of a bin", v)
	}
	fields := map[string]any{}
	for _, f := range s.Schema().Fields() {
		if x, _ := s.Get(f.Name); f.Name != "updated" {
			fields[f.Name] = x
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(text, &b)
}
