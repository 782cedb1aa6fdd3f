package tostring

import (
	"math"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestString(t *testing.T) {
	schema := connector.StructOf("", connector.F("a", connector.Int32Schema), connector.F("b", connector.OptionalStringSchema))
	tests := []struct {
		value any
		want  string
	}{
		{nil, "null"}, {int64(-5), "-5"}, {true, "true"}, {1e7, "1.0E7"}, {0.1, "0.1"}, {float32(0.1), "0.1"}, {1.5e-5, "1.5E-5"},
		{123456.0, "123456.0"}, {math.Copysign(0, -1), "-0.0"}, {math.Inf(-1), "-Infinity"}, {math.NaN(), "NaN"}, {1e-3, "0.001"}, {5e-324, "4.9E-324"}, {2e-323, "2.0E-323"}, {1e23, "1.0E23"},
		{connector.NewDecimal(100, 2), "1.00"}, {connector.NewDecimal(1, -2), "1E+2"}, {connector.NewDecimal(1, 20), "1E-20"},
		{connector.NewDecimal(-12345, -2), "-1.2345E+6"}, {time.UnixMilli(0), "Thu Jan 01 00:00:00 UTC 1970"},
		{[]any{"a", nil}, "[a, null]"}, {map[string]any{"b": nil, "a": "x"}, "{a=x, b=null}"}, {map[any]any{int32(1): "x"}, "{1=x}"},
		{connector.NewStruct(schema).Set("a", int32(1)), "Struct{a=1}"},
	}
	for _, tt := range tests {
		if got := String(tt.value); got != tt.want {
			t.Errorf("%#v prints %s, want %s", tt.value, got, tt.want)
		}
	}
}
