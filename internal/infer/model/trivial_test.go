package model

import (
	"math"
	"testing"
)

// trivialScores computes what the test server's model gives: a softmax over
// 50 weighted sums of the channels' means.
func trivialScores(t *testing.T, file []byte) []float64 {
	t.Helper()
	prep := NewPreprocessor(Manifest{})
	in := make([]float32, prep.Size())
	if err := prep.Tensor(in, file); err != nil {
		t.Fatal(err)
	}
	var means [3]float64
	for i, v := range in {
		means[i%3] += float64(v) / float64(len(in)/3)
	}
	scores, sum := make([]float64, 50), 0.0
	for k := range scores {
		for c, m := range means {
			scores[k] += m * (-1 + 2*float64(50*c+k)/149)
		}
		scores[k] = math.Exp(scores[k])
		sum += scores[k]
	}
	for k := range scores {
		scores[k] /= sum
	}
	return scores
}

// checkTrivial classifies three images by the test server's model.
func checkTrivial(t *testing.T, c Classifier, model string) {
	t.Helper()
	images := [][]byte{testImage(t, "gray"), testImage(t, "rgb"), testImage(t, "gray_128x320")}
	for i, r := range c.Classify(t.Context(), images) {
		best := 0.0
		for _, s := range trivialScores(t, images[i]) {
			best = max(best, s)
		}
		if r.Err != nil || r.Model != model || r.Class != "zooplankton_misc" || math.Abs(float64(r.Prob)-best) > 1e-5 {
			t.Errorf("image %d: %+v, expected %g by %s", i, r, best, model)
		}
	}
}
