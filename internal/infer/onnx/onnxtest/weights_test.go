package onnxtest

import "testing"

// TestUniform: the numbers are those of testdata/weights.py.
func TestUniform(t *testing.T) {
	got := make([]float32, 3)
	if err := Fill("densenet121/input0", "fill uniform -0.5 1.25", got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{0x1.39bc78p+0, -0x1.1fe3d8p-3, -0x1.f27b1ap-2} {
		if got[i] != want {
			t.Errorf("number %d is %x, expected %x", i, got[i], want)
		}
	}
	for _, rule := range []string{"", "fill normal 0 1", "fill uniform 1", "fill uniform a b"} {
		if err := Fill("x", rule, got); err == nil {
			t.Errorf("%q is taken", rule)
		}
	}
}
