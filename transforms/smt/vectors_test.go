package smt

import (
	"context"
	"fmt"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
)

// TestRecordedAnswers compares each transform with what Kafka Connect 4.3.1 answered.
//
// Clauses: D1, D2, D3, D4, D5, D6, D7, D8, D9, D10, D11, D12, D13, D14, D15, D16.
func TestRecordedAnswers(t *testing.T) {
	javavectors.Replay(t, replay, "smt.InsertField", "smt.ReplaceField", "smt.HoistField", "smt.Filter",
		"smt.ExtractField", "smt.DropHeaders", "smt.InsertHeader", "smt.HeaderFrom", "smt.ValueToKey", "smt.RegexRouter", "smt.SetSchemaMetadata",
		"smt.Cast", "smt.MaskField", "smt.Flatten", "smt.TimestampRouter", "smt.TimestampConverter")
}

func replay(_ *testing.T, c javavectors.Case) error {
	plugin, err := connector.Plugins.New(connector.TransformType, javaPackage+c.Component[len("smt."):])
	if err != nil {
		return err
	}
	tr := plugin.(connector.Transform)
	conf, err := connector.ParsePlugin(tr, c.Config)
	if err == nil {
		err = tr.Configure(connector.Context{}, conf)
	}
	if f := c.Expect.Error; f != nil && f.Phase == "configure" {
		return f.CheckError(err)
	}
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	in, err := javavectors.Record(c.Input)
	if err != nil {
		return fmt.Errorf("input: %w", err)
	}
	got, keep, err := tr.Apply(context.Background(), in)
	if c.Expect.Error != nil {
		if err != nil && connector.KindOf(err) != connector.KindData {
			return fmt.Errorf("error %q is not marked as data", err)
		}
		return c.Expect.Error.CheckError(err)
	}
	if err != nil {
		return err
	}
	if keep == c.Expect.Dropped {
		return fmt.Errorf("keep is %v", keep)
	}
	if c.Expect.Dropped {
		return nil
	}
	if newer := c.Expect.FloatText; newer != "" && (got.Key == newer || got.Value == newer) {
		return nil
	}
	want, err := javavectors.Record(c.Expect.Output)
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	if d := javavectors.Diff(got, want); d != "" {
		return fmt.Errorf("%s", d)
	}
	return nil
}
