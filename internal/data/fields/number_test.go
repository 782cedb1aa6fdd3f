package fields

import (
	"encoding/json"
	"testing"
)

func TestNumbers(t *testing.T) {
	type wide struct {
		integer int64
		isInt   bool
		float   float64
		isFloat bool
	}
	for name, c := range map[string]struct {
		value any
		want  wide
	}{
		"int8":               {int8(-3), wide{-3, true, -3, true}},
		"int16":              {int16(300), wide{300, true, 300, true}},
		"int32":              {int32(70_000), wide{70_000, true, 70_000, true}},
		"int64":              {int64(1) << 40, wide{1 << 40, true, 1 << 40, true}},
		"float32":            {float32(0.5), wide{0, false, 0.5, true}},
		"float64":            {2.5, wide{0, false, 2.5, true}},
		"integer of JSON":    {json.Number("12"), wide{12, true, 12, true}},
		"fraction of JSON":   {json.Number("1.5"), wide{0, false, 1.5, true}},
		"too large for both": {json.Number("1e999"), wide{}},
		"text":               {"1", wide{}},
		"boolean":            {true, wide{}},
		"null":               {nil, wide{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got wide
			got.integer, got.isInt = Int64(c.value)
			got.float, got.isFloat = Float64(c.value)
			if !got.isInt {
				got.integer = 0
			}
			if !got.isFloat {
				got.float = 0
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
