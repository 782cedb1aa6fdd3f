// Package convertertest replays recorded answers of Kafka Connect's converters.
package convertertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
)

// Replay runs one case on a fresh converter, which must convert headers too. The
// bytes it writes are compared by same, nil for the very same bytes.
func Replay(c javavectors.Case, conv connector.Converter, same func(got, want []byte) bool) error {
	var in javavectors.Converted
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return err
	}
	props := connector.Props{"converter.type": "value"}
	maps.Copy(props, c.Config)
	conf, err := connector.ParsePlugin(conv, props)
	if err == nil {
		err = conv.Configure(connector.Context{}, conf, in.Key)
	}
	if f := c.Expect.Error; f != nil && f.Phase == "configure" {
		return f.CheckError(err)
	}
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	switch in.Op {
	case "fromConnectData", "fromConnectHeader":
		return write(c, conv, in, same)
	}
	return read(c, conv, in)
}

func write(c javavectors.Case, conv connector.Converter, in javavectors.Converted, same func(got, want []byte) bool) error {
	schema, value, err := in.Pair()
	if err != nil {
		return err
	}
	got, err := conv.FromConnect(context.Background(), "topic", schema, value)
	if c.Expect.Error != nil {
		return c.Expect.Error.CheckError(err)
	}
	if err != nil {
		return err
	}
	want, err := javavectors.Bytes(c.Expect.Output)
	if err != nil {
		return err
	}
	if newer := c.Expect.FloatText; newer != "" && strings.HasSuffix(strings.TrimSuffix(string(got), "}"), newer) {
		return nil
	}
	if (got == nil) != (want == nil) || !bytes.Equal(got, want) && (same == nil || !same(got, want)) {
		return fmt.Errorf("bytes %q, want %q", got, want)
	}
	return nil
}

func read(c javavectors.Case, conv connector.Converter, in javavectors.Converted) error {
	data, err := javavectors.Bytes(in.Bytes)
	if err != nil {
		return err
	}
	schema, value, err := conv.ToConnect(context.Background(), "topic", data)
	if c.Expect.Error != nil {
		return c.Expect.Error.CheckError(err)
	}
	if err != nil {
		return err
	}
	var want javavectors.Converted
	if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
		return err
	}
	wantSchema, wantValue, err := want.Pair()
	if err != nil {
		return err
	}
	if !schema.Equal(wantSchema) {
		return fmt.Errorf("schema %+v, want %+v", schema, wantSchema)
	}
	if !connector.ValuesEqual(value, wantValue) {
		return fmt.Errorf("value %#v, want %#v", value, wantValue)
	}
	return nil
}
