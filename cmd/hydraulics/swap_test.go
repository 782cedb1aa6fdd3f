package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// swapFlow classifies images in the original's form, with what is added to
// the file of its model.
func (s *stream) swapFlow(model, more string) string {
	return fmt.Sprintf(`
worker:
  bootstrap.servers: %s
  offset.storage.file.filename: swap.offsets
  key.converter: string
  value.converter: {class: json, schemas.enable: false}
  consumer.max.poll.records: 5
  consumer.session.timeout.ms: 2000
  consumer.heartbeat.interval.ms: 200
connectors:
  swap:
    connector.class: stream
    topics: images
    topic: classified
    transforms:
      - classify: {model: %s, swap.check.ms: 10, canary.images: 8%s}
      - drop: {type: ReplaceField$Value, exclude: image}
`, s.broker, model, more)
}

// classifiers gives for each image the models that classified it, and the
// models in the order of the topic.
func classifiers(t *testing.T, messages []kafka.Message) (of map[string][]string, order []string) {
	t.Helper()
	of = map[string][]string{}
	for _, m := range messages {
		var v struct {
			Classifier string `json:"classifier"`
		}
		if err := json.Unmarshal(m.Value, &v); err != nil {
			t.Fatal(err)
		}
		of[string(m.Key)] = append(of[string(m.Key)], v.Classifier)
		if len(order) == 0 || order[len(order)-1] != v.Classifier {
			order = append(order, v.Classifier)
		}
	}
	return of, order
}

// TestSwapWalkThrough swaps models while records flow, good ones and bad ones:
// each record is classified once, by one model, and none is lost.
func TestSwapWalkThrough(t *testing.T) {
	s := newStream(t)
	s.topic("images", 1)
	s.topic("classified", 1) // so that it has the order
	file, err := configs.FS.ReadFile("demo/demo-plankton.onnx")
	if err != nil {
		t.Fatal(err)
	}
	w := s.start("flow.yaml", s.swapFlow(s.model("plankton"), ""))
	stop, stopped, published := make(chan struct{}), make(chan error, 1), 0
	go func() { // ends with stop
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-tick.C:
				if err := s.publish("images", published, published+3); err != nil {
					stopped <- err
					return
				}
				published += 3
			}
		}
	}()
	flows := func() { // a batch goes through
		t.Helper()
		before := len(s.read("classified"))
		await(t, "records flow", func() bool { return len(s.read("classified")) > before+10 })
	}
	flows()
	swaps, refused := 0.0, 0.0
	for _, step := range []struct {
		name  string
		file  string
		data  []byte
		taken bool
	}{
		{"another version", "plankton.yaml", s.manifest("version: '1'", "version: '2'"), true},
		{"a truncated file", "plankton.onnx", file[:len(file)/3], false},
		{"no model", "plankton.onnx", []byte("<html>not found</html>"), false},
		{"the file again with other labels", "plankton.onnx", file, true},
		{"other labels", "plankton.yaml", s.manifest("version: '1'", "version: 'x'", "- demo-rod", "- Dinophysis"), false},
		{"too few labels", "plankton.yaml", s.manifest("version: '1'", "version: 'x'", "- demo-rod\n", ""), false},
		{"drift", "plankton.yaml", s.manifest("version: '1'", "version: 'x'", "scale: 0.00392156862745098", "scale: 0.00002"), false},
		{"a third version", "plankton.yaml", s.manifest("version: '1'", "version: '3'"), true},
	} {
		s.put(step.file, step.data)
		switch {
		case step.name == "the file again with other labels":
			continue // what is in use: nothing happens
		case step.taken:
			swaps++
			await(t, step.name, func() bool { return counted(w, "classify_model_swaps_total") == swaps })
		default:
			refused++
			await(t, step.name, func() bool { return counted(w, "classify_model_rollbacks_total") == refused })
		}
		flows()
		if got := counted(w, "classify_model_swaps_total"); got != swaps {
			t.Fatalf("%s: %g swaps, want %g", step.name, got, swaps)
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	s.caughtUp("swap", "images")
	of, order := classifiers(t, s.read("classified"))
	for n := range published {
		if by := of[target(n)]; len(by) != 1 {
			t.Errorf("image %d is classified by %v", n, by)
		}
	}
	if want := fmt.Sprint([]string{"demo-plankton:1", "demo-plankton:2", "demo-plankton:3"}); fmt.Sprint(order) != want || len(of) != published {
		t.Errorf("models in the order %v, want %s; %d images of %d", order, want, len(of), published)
	}
}

// coordinatorLoading is the code of an answer that a client tries again after.
const coordinatorLoading = 14

// TestSwapAndCrash breaks a worker off while models are swapped: nothing is
// lost, and what is there twice is counted.
func TestSwapAndCrash(t *testing.T) {
	s := newStream(t)
	s.topic("images", 1)
	const crashes, before, during = 4, 40, 60 // images of each
	published := 0
	publish := func(images int) {
		t.Helper()
		if err := s.publish("images", published, published+images); err != nil {
			t.Fatal(err)
		}
		published += images
	}
	flow := s.swapFlow(s.model("plankton"), "")
	for n := 1; n <= crashes; n++ {
		w := s.start("flow.yaml", flow)
		publish(before)
		s.caughtUp("swap", "images")
		written := len(s.read("classified"))
		// From here on results are written, and that they are cannot be noted.
		lift := s.faults.Fail(kafkatest.Fault{Request: kafkatest.OffsetCommit, Code: coordinatorLoading, Times: -1})
		s.put("plankton.yaml", s.manifest("version: '1'", fmt.Sprintf("version: '%d'", n+1)))
		publish(during)
		await(t, "a batch is written and not committed", func() bool { return len(s.read("classified")) > written })
		if err := s.close(w, 0); err != nil {
			t.Log(err) // broken off, as it says
		}
		lift()
	}
	s.start("flow.yaml", flow)
	s.caughtUp("swap", "images")
	of, _ := classifiers(t, s.read("classified"))
	repeated := 0
	for n := range published {
		by := of[target(n)]
		if len(by) == 0 {
			t.Errorf("image %d is lost", n)
		}
		if len(by) > 1 {
			repeated++
		}
	}
	t.Logf("%d of %d images are there more than once after %d crashes", repeated, published, crashes)
	if repeated == 0 || repeated > crashes*during {
		t.Errorf("%d images are repeated, want those that were written and not committed: at most %d at each of %d crashes", repeated, during, crashes)
	}
}
