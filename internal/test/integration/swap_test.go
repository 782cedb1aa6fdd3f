//go:build integration

package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// On Apache Kafka (`make test` does the like on the embedded broker) models are
// swapped while records flow: each record is classified by one model, and a
// model that does not fit changes nothing. Then the worker is killed as it works
// with a new one: nothing is lost, and what came again is counted.
func TestSwap(t *testing.T) {
	s := newReal(t)
	site := newSyntheticSite(t, 2, 2, 20)
	f := newFlow(s)
	f.Dashboard, f.Follow, f.Model, f.Sink = site.url, true, f.putModel("model"), ""
	f.Classify = "swap.check.ms: 50, canary.images: 8"
	// flowing waits while new images come as fast as they are classified.
	flowing := func(what string, ok func() bool) {
		t.Helper()
		eventually(t, what, func() bool {
			if len(site.images)-s.written(f.Stats) < 60 {
				site.take(t, 1)
			}
			return ok()
		}, f.state)
	}
	version := func(n int) { f.put("model.yaml", manifest(t, "version: '1'", fmt.Sprintf("version: '%d'", n))) }
	by := func(n int) bool { return f.classifiers()[fmt.Sprint("demo-plankton:", n)] > 0 }

	w := f.start()
	flowing("the first model", func() bool { return by(1) })
	version(2)
	flowing("the second model in both tasks", func() bool { return w.count("classify_model_swaps_total") == 2 && by(2) })
	f.put("model.onnx", []byte("<html>not found</html>"))
	flowing("its refusal by both tasks", func() bool { return w.count("classify_model_rollbacks_total") == 2 })
	before := s.written(f.Stats)
	flowing("records go on", func() bool { return s.written(f.Stats) > before+20 })
	eventually(t, "all images", func() bool { return f.through(len(site.images)) }, f.state)
	if again := complete(t, "statistics", s.tally(f.Stats, true), site.images); again > 0 {
		t.Errorf("%d images were classified again without a crash", again)
	}
	undisturbed := f.classifiers()
	if n := undisturbed["demo-plankton:1"] + undisturbed["demo-plankton:2"]; n != len(site.images) {
		t.Errorf("%d images are classified by %v", len(site.images), undisturbed)
	}

	f.putModel("model", "version: '1'", "version: '3'")
	flowing("the third model", func() bool { return by(3) })
	const kills = 3
	for n := range kills {
		w.kill()
		version(4 + n)
		w = f.start()
		flowing("a model after a kill", func() bool { return by(4 + n) })
		version(10 + n)
		flowing("another one", func() bool { return by(10 + n) })
	}
	w.kill()
	w = f.start()
	eventually(t, "the rest", func() bool { return f.through(len(site.images)) }, f.state)
	w.stop()
	sent := complete(t, "images", s.tally(f.Images, false), site.images) // the source repeats too
	again := complete(t, "statistics", s.tally(f.Stats, true), site.images)
	if letters := s.written(f.Letters); letters > 0 {
		t.Errorf("%d dead letters", letters)
	}
	if most := sent + (kills+1)*2*f.Batch(); again < sent || again > most {
		t.Errorf("%d images were classified again, want %d that came again, and at most the batch of each task at each kill: %d", again, sent, most)
	}
	t.Logf("of %d images %d came again and %d were classified again after %d kills; by model: %v", len(site.images), sent, again, kills+1, f.classifiers())
}

// classifiers counts the statistics of each model.
func (f *flow) classifiers() map[string]int {
	s := f.Stack
	s.t.Helper()
	values, count := s.avroReader(false), map[string]int{}
	for _, m := range s.read(f.Stats) {
		v, _ := s.decode(values, f.Stats, m.Value).Get("classifier")
		count[fmt.Sprint(v)]++
	}
	return count
}

// count sums up a metric over the tasks of a worker.
func (w *worker) count(metric string) (sum float64) {
	w.t.Helper()
	for line := range strings.Lines(get(w.t, w.rest+"/metrics")) {
		if !strings.HasPrefix(line, metric+"{") {
			continue
		}
		words := strings.Fields(line)
		v, err := strconv.ParseFloat(words[len(words)-1], 64)
		check(w.t, err)
		sum += v
	}
	return sum
}
