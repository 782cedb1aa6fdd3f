package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// read gives the last record of each bin of each dataset.
func (o *gapsOptions) read(ctx context.Context, settings connector.Props) (map[string]binOutcome, error) {
	decode, closeAll, err := o.decoder()
	if err != nil {
		return nil, err
	}
	defer closeAll()
	client, err := kafka.Open(ctx, kafka.Options{Bootstrap: strings.Split(o.broker, ","), Props: connectionKeys(settings, "consumer.")})
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	defer client.Close()
	n, err := client.Partitions(ctx, o.topic)
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", o.topic, err)
	}
	last := map[string]binOutcome{}
	for i := range n {
		err := client.ReadPartition(ctx, connector.TopicPartition{Topic: o.topic, Partition: i}, 0, func(m kafka.Message) error {
			if m.Value == nil {
				return nil
			}
			b, err := decode(ctx, m.Value)
			if err == nil && (b.PID == "" || b.Status == "") {
				err = errors.New("it is no record of a bin: is it the topic of bins.topic?")
			}
			if err != nil {
				return fmt.Errorf("topic %s partition %d offset %d: %w", o.topic, i, m.Offset, err)
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

type decodeBin func(ctx context.Context, value []byte) (binOutcome, error)

// decoder reads Avro with the registry's schemas, and JSON with or without one.
func (o *gapsOptions) decoder() (decodeBin, func(), error) {
	avro, closeAvro, err := o.avro()
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, value []byte) (binOutcome, error) {
		switch {
		case len(value) > 0 && value[0] == 0 && avro == nil:
			return binOutcome{}, errors.New("it is Avro: add --registry URL")
		case len(value) > 0 && value[0] == 0:
			_, v, err := avro.ToConnect(ctx, o.topic, value)
			if err != nil {
				return binOutcome{}, err
			}
			return fromStruct(v)
		}
		var b struct {
			binOutcome
			Payload *binOutcome `json:"payload"`
		}
		if err := json.Unmarshal(value, &b); err != nil {
			return binOutcome{}, err
		}
		if b.Payload != nil {
			return *b.Payload, nil
		}
		return b.binOutcome, nil
	}, closeAvro, nil
}

// avro makes the converter, nil without a registry.
func (o *gapsOptions) avro() (connector.Converter, func(), error) {
	if o.registry == "" {
		return nil, func() {}, nil
	}
	plugin, err := connector.Plugins.New(connector.ConverterType, "avro")
	if err != nil {
		return nil, nil, err
	}
	conf, err := connector.ParsePlugin(plugin, connector.Props{"schema.registry.url": o.registry})
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
func fromStruct(v any) (b binOutcome, err error) {
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
	return b, json.NewDecoder(bytes.NewReader(text)).Decode(&b)
}

// gapWriters write gaps among a number of bins.
var gapWriters = map[string]func(w io.Writer, gaps []binOutcome, bins int) error{
	"text": writeGapsText, "csv": writeGapsCSV, "json": writeGapsJSON,
}

func expectedText(b binOutcome) string {
	if b.Expected == nil {
		return ""
	}
	return strconv.Itoa(int(*b.Expected))
}

func writeGapsText(w io.Writer, gaps []binOutcome, bins int) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(gaps) > 0 {
		fmt.Fprintln(table, "BIN\tDATASET\tSTATUS\tIMAGES\tREASON")
	}
	for _, b := range gaps {
		of := expectedText(b)
		if of == "" {
			of = "?"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d of %s\t%s\n", b.PID, b.Dataset, b.Status, b.Ingested, of, strings.Join(strings.Fields(b.Reason), " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d bins have a gap\n", len(gaps), bins)
	return err
}

func writeGapsCSV(w io.Writer, gaps []binOutcome, _ int) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"pid", "dataset", "dashboard", "ifcb_id", "time", "status", "expected", "ingested", "failed", "reason"}}
	for _, b := range gaps {
		rows = append(rows, []string{b.PID, b.Dataset, b.Dashboard, b.IFCB, time.Unix(b.Time, 0).UTC().Format(time.RFC3339), b.Status,
			expectedText(b), strconv.Itoa(int(b.Ingested)), strconv.Itoa(int(b.Failed)), b.Reason})
	}
	return out.WriteAll(rows)
}

func writeGapsJSON(w io.Writer, gaps []binOutcome, bins int) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"bins": bins, "gaps": gaps})
}
