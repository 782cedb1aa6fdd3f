package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// grays gives n images.
func grays(t *testing.T, n int) [][]byte {
	return slices.Repeat([][]byte{testImage(t, "gray")}, n)
}

// good finds results that are not the second class, certain, by this model.
func good(t *testing.T, results []Result, model string) {
	t.Helper()
	for i, r := range results {
		if r.Err != nil || r.Class != "Alexandrium_singlet" || r.Prob != 1 || r.Model != model {
			t.Errorf("image %d: %+v", i, r)
		}
	}
}

func TestProtocols(t *testing.T) {
	eachProtocol(t, func(t *testing.T, f *fake, opts Options) {
		opts.BatchSize = 2
		c := open(t, opts)
		images := append(grays(t, 5), []byte("no image"))
		for range 2 {
			results := c.Classify(t.Context(), images)
			good(t, results[:5], "ifcb:3")
			if connector.KindOf(results[5].Err) != connector.KindData {
				t.Errorf("a bad image gives %v", results[5].Err)
			}
		}
		if n := len(f.images); n != 6 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestProtocolFaults: each fault of a server has, in each protocol, the kind of
// error that lets the runtime do the right thing, and says what is wrong.
func TestProtocolFaults(t *testing.T) {
	nan32 := nan
	cases := []struct {
		name string
		bend func(*fake)
		kind connector.Kind
		want string // one of these, with | between
	}{
		{"five classes", func(f *fake) { f.classes = 5 }, connector.KindFatal, "5 outputs and nothing names them"},
		{"one class more", func(f *fake) { f.classes = 51 }, connector.KindFatal, "51 outputs and nothing names them"},
		{"NaN", func(f *fake) { f.other = nan32 }, connector.KindData, "NaN for class Akashiwo"},
		{"no probabilities", func(f *fake) { f.other = 0.5 }, connector.KindFatal, "output: logits"},
		{"not ready", func(f *fake) { f.ready = false }, connector.KindRetriable, "not ready|no version is available: 3 LOADING|status 503"},
		{"busy", func(f *fake) { f.busy = true }, connector.KindRetriable, "status 429|queue is full"},
		{"empty", func(f *fake) { f.empty = true }, connector.KindFatal, "has no predictions|has no outputs"},
		{"hangs", func(f *fake) { f.hang = true }, connector.KindRetriable, "no answer within 100ms"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			eachProtocol(t, func(t *testing.T, f *fake, opts Options) {
				f.set(c.bend)
				if c.name == "hangs" { // a server that answers has as long as it needs
					opts.Timeout = 100 * time.Millisecond
				}
				r := open(t, opts).Classify(t.Context(), grays(t, 1))[0]
				says := slices.ContainsFunc(strings.Split(c.want, "|"), func(s string) bool { return r.Err != nil && strings.Contains(r.Err.Error(), s) })
				if connector.KindOf(r.Err) != c.kind || !says {
					t.Errorf("got %s error %v\nwant %s, %s", connector.KindOf(r.Err), r.Err, c.kind, c.want)
				}
			})
		})
	}
}

// TestWebPage: a proxy's or log-in page where a server should be.
func TestWebPage(t *testing.T) {
	for _, p := range protocols {
		f := newFake(t)
		f.page = true
		h := httptest.NewServer(f)
		url := h.URL
		if p.grpc {
			url = strings.Replace(url, "http", "grpc", 1)
		}
		c := open(t, Options{Model: url + p.path, Protocol: p.protocol, Format: p.format})
		r := c.Classify(t.Context(), grays(t, 1))[0]
		if connector.KindOf(r.Err) != connector.KindRetriable || !p.grpc && !strings.Contains(r.Err.Error(), "web page") {
			t.Errorf("%s: %v", p.name, r.Err)
		}
		h.Close()
	}
}

// TestVersionChangesMidBatch: each result names the version that gave it.
func TestVersionChangesMidBatch(t *testing.T) {
	eachProtocol(t, func(t *testing.T, f *fake, opts Options) {
		if opts.Protocol == "kserve-v1" {
			t.Skip("it knows no versions")
		}
		opts.BatchSize, opts.InFlight = 2, 1
		f.set(func(f *fake) { f.next = "4" })
		c := open(t, opts)
		results := c.Classify(t.Context(), grays(t, 4))
		if results[0].Model != "ifcb:3" { // the second request came first
			results = append(results[2:4:4], results[:2]...)
		}
		good(t, results[:2], "ifcb:3")
		if strings.Contains(opts.Model, "grpc") || strings.Contains(opts.Model, "/v2/") {
			good(t, results[2:], "ifcb:4")
			return
		}
		// It cannot be asked by the old version any more, and is asked again.
		for _, r := range results[2:] {
			if connector.KindOf(r.Err) != connector.KindRetriable {
				t.Errorf("%+v", r)
			}
		}
		good(t, c.Classify(t.Context(), grays(t, 4)), "ifcb:4")
	})
}

// TestSilentAnswers: where answers do not name the version requests do.
func TestSilentAnswers(t *testing.T) {
	eachProtocol(t, func(t *testing.T, f *fake, opts Options) {
		f.set(func(f *fake) { f.silent = true })
		c := open(t, opts)
		good(t, c.Classify(t.Context(), grays(t, 2)), "ifcb:3")
		good(t, c.Classify(t.Context(), grays(t, 2)), "ifcb:3")
		f.set(func(f *fake) {
			if last := f.asked[len(f.asked)-1]; opts.Protocol != "kserve-v1" && last != "3" {
				t.Errorf("asked for version %q", last)
			}
		})
	})
}

// TestTooLarge: a request that the server does not take is halved, later ones
// are as small from the start, and one image that is too large says the remedy.
func TestTooLarge(t *testing.T) {
	eachProtocol(t, func(t *testing.T, f *fake, opts Options) {
		f.set(func(f *fake) { f.limit = 3 })
		c := open(t, opts)
		good(t, c.Classify(t.Context(), grays(t, 8)), "ifcb:3")
		f.set(func(f *fake) { f.images = nil })
		good(t, c.Classify(t.Context(), grays(t, 8)), "ifcb:3")
		f.set(func(f *fake) {
			if slices.Max(f.images) > 2 || len(f.images) != 4 {
				t.Errorf("requests of %v images", f.images)
			}
		})
	})
}

func TestDoubles(t *testing.T) {
	for _, p := range protocols[:2] {
		f := newFake(t)
		f.float64s = true
		c := open(t, Options{Model: f.serve(true) + p.path})
		good(t, c.Classify(t.Context(), grays(t, 2)), "ifcb:3")
	}
}

// TestLabelsOfServer: the metadata name the classes.
func TestLabelsOfServer(t *testing.T) {
	for _, p := range []int{1, 5} {
		f := newFake(t)
		f.labels = "first\nAlexandrium_singlet" + strings.Repeat("\nx", 48)
		url := f.serve(protocols[p].grpc) + protocols[p].path
		r := open(t, Options{Model: url}).Classify(t.Context(), grays(t, 1))[0]
		if connector.KindOf(r.Err) != connector.KindFatal || !strings.Contains(r.Err.Error(), `its metadata: labels: number 4, "x", is empty or there twice`) {
			t.Errorf("%+v", r)
		}
		var names []string
		for i := range 50 {
			names = append(names, strings.Repeat("c", i+1))
		}
		f.set(func(f *fake) { f.labels = strings.Join(names, ",") })
		if r := open(t, Options{Model: url}).Classify(t.Context(), grays(t, 1))[0]; r.Err != nil || r.Class != "cc" {
			t.Errorf("%+v", r)
		}
	}
}

// TestAskedProtocol: over gRPC a server tells by its answers what it speaks.
func TestAskedProtocol(t *testing.T) {
	tf, v2 := newFake(t), newFake(t)
	good(t, open(t, Options{Model: tf.serve(true) + "/ifcb"}).Classify(t.Context(), grays(t, 1)), "ifcb:3")
	v2.version = "v2" // which no version of TensorFlow Serving is
	addr := v2.serve(true)
	r := open(t, Options{Model: addr + "/other"}).Classify(t.Context(), grays(t, 1))[0]
	if connector.KindOf(r.Err) != connector.KindFatal || !strings.Contains(r.Err.Error(), "it has the model neither in protocol tfserving") {
		t.Errorf("%v", r.Err)
	}
	for _, opts := range []Options{{Model: addr + "/v2/models/ifcb/versions/v2"}, {Model: addr + "/ifcb/versions/v2"}, {Model: addr + "/ifcb/versions/v2", Protocol: "open-inference"}} {
		good(t, open(t, opts).Classify(t.Context(), grays(t, 1)), "ifcb:v2")
	}
}

// TestFailover: where one of several servers is away the others are asked; it
// is left alone, and asked again later.
func TestFailover(t *testing.T) {
	eachProtocol(t, func(t *testing.T, a *fake, opts Options) {
		b := newFake(t)
		b.version = a.version
		isGRPC := strings.HasPrefix(opts.Model, "grpc")
		_, path, _ := strings.Cut(strings.SplitN(opts.Model, "://", 2)[1], "/")
		opts.Model += ", " + b.serve(isGRPC) + "/" + path
		opts.BatchSize, opts.InFlight = 1, 1
		c := open(t, opts)
		now := time.Now()
		c.(*remote).now = func() time.Time { return now }
		good(t, c.Classify(t.Context(), grays(t, 4)), "ifcb:3")
		if len(a.images) != 2 || len(b.images) != 2 {
			t.Errorf("%d and %d requests", len(a.images), len(b.images))
		}
		a.set(func(f *fake) { f.busy = true })
		good(t, c.Classify(t.Context(), grays(t, 6)), "ifcb:3")
		if len(a.images) != 2 || len(b.images) != 8 {
			t.Errorf("%d and %d requests", len(a.images), len(b.images))
		}
		a.set(func(f *fake) { f.busy = false })
		now = now.Add(firstRest)
		good(t, c.Classify(t.Context(), grays(t, 4)), "ifcb:3")
		if len(a.images) != 4 {
			t.Errorf("%d requests", len(a.images))
		}
		a.set(func(f *fake) { f.busy = true })
		b.set(func(f *fake) { f.busy = true })
		if r := c.Classify(t.Context(), grays(t, 1))[0]; connector.KindOf(r.Err) != connector.KindRetriable {
			t.Errorf("%+v", r)
		}
	})
}

// TestHedge: a request that takes long is sent to another server as well.
func TestHedge(t *testing.T) {
	for _, p := range protocols[:3] {
		a, b := newFake(t), newFake(t)
		a.hang = true
		c := open(t, Options{Model: b.serve(p.grpc) + p.path + "," + a.serve(p.grpc) + p.path, Protocol: p.protocol, BatchSize: 1, InFlight: 1, Hedge: time.Millisecond})
		good(t, c.Classify(t.Context(), grays(t, 4)), "ifcb:3")
		a.set(func(f *fake) { f.busy, f.hang = true, false })
		b.set(func(f *fake) { f.busy = true })
		if r := c.Classify(t.Context(), grays(t, 1))[0]; connector.KindOf(r.Err) != connector.KindRetriable {
			t.Errorf("%+v", r)
		}
	}
}

// TestSharedBatch: requests of two tasks become one, and each gets its results.
func TestSharedBatch(t *testing.T) {
	f := newFake(t)
	opts := Options{Model: f.serve(true) + "/v2/models/ifcb", BatchSize: 4, Delay: time.Hour}
	a, b := open(t, opts), open(t, opts)
	if a.(*remote).service != b.(*remote).service {
		t.Fatal("tasks with the same model do not share it")
	}
	got := make(chan []Result)
	go func() { got <- a.Classify(t.Context(), grays(t, 3)) }()
	results := b.Classify(t.Context(), grays(t, 1))
	good(t, append(results, <-got...), "ifcb:3")
	if !slices.Equal(f.images, []int{4}) {
		t.Errorf("requests of %v images", f.images)
	}
}

// TestRemoteStops: a task that is stopped does not wait for its server.
func TestRemoteStops(t *testing.T) {
	eachProtocol(t, func(t *testing.T, f *fake, opts Options) {
		opts.InFlight, opts.BatchSize = 1, 1
		c := open(t, opts)
		good(t, c.Classify(t.Context(), grays(t, 1)), "ifcb:3")
		f.set(func(f *fake) { f.hang = true })
		ctx, cancel := context.WithCancel(t.Context())
		f.set(func(f *fake) { f.hung = cancel })
		for _, r := range c.Classify(ctx, grays(t, 3)) {
			if connector.KindOf(r.Err) != connector.KindRetriable {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestRemoteConfig(t *testing.T) {
	for _, c := range []struct{ url, protocol, format, want string }{
		{"grpc://h/ifcb", "", "", "has no port"},
		{"grpc://h:1/p/v1/models/ifcb", "", "", "is not a URL such as"},
		{"grpc://h:1/ifcb", "kserve-v1", "", "protocol kserve-v1 does not have"},
		{"grpc://h:1/v2/models/m", "tfserving", "", "not an address of the protocol tfserving"},
		{"http://h/v2/models/m/labels/x", "", "", "protocol open-inference does not have"},
		{"http://h/v1/models/m", "", "binary", "cannot take request.format binary"},
		{"grpc://h:1/m", "", "json", "cannot take request.format json"},
		{"http://h/v2/models/m", "", "png", "cannot take request.format png"},
		{"http://h/v1/models/m/versions/new", "", "", "is not a URL such as"},
		{"http://h/v1/models/m,grpc://h:1/m", "", "", "have to take the same"},
		{"http://u:secret@h/v1/models/m,ftp://u:secret@h/m", "", "", "is not a URL such as"},
	} {
		_, err := Open(Options{Model: c.url, Protocol: c.protocol, Format: c.format})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %s %s: %v", c.url, c.protocol, c.format, err)
		}
	}
}

// TestAllAway: the error of several servers is one of the environment.
func TestAllAway(t *testing.T) {
	h := httptest.NewServer(nil)
	h.Close()
	url := h.URL + "/v1/models/m"
	var e *connector.Error
	got := open(t, Options{Model: url + "," + url}).Classify(t.Context(), grays(t, 3))
	for _, r := range got {
		if !errors.As(r.Err, &e) || e.Kind != connector.KindRetriable || strings.Count(r.Err.Error(), "connection refused") != 2 {
			t.Errorf("%v", r.Err)
		}
	}
}

// TestCloseEndsGoroutines: nothing runs on for a model that is not used any more.
func TestCloseEndsGoroutines(t *testing.T) {
	for _, p := range protocols {
		f := newFake(t)
		url := f.serve(p.grpc) + p.path
		before := runtime.NumGoroutine()
		for range 3 {
			c, err := Open(Options{Model: url, Protocol: p.protocol, Format: p.format, BatchSize: 1, Manifest: small(t)})
			if err != nil {
				t.Fatal(err)
			}
			good(t, c.Classify(t.Context(), grays(t, 4)), "ifcb:3")
			if err := errors.Join(c.Close(), c.Close()); err != nil {
				t.Error(err)
			}
		}
		wait.Nil(t, p.name, func() error {
			if n := runtime.NumGoroutine(); n > before {
				return fmt.Errorf("%d goroutines, %d before", n, before)
			}
			return nil
		})
	}
	if len(services) != 0 {
		t.Errorf("%d services are left", len(services))
	}
}

// TestInputFromServer: what the manifest leaves open is what the model says.
func TestInputFromServer(t *testing.T) {
	for _, c := range []struct {
		in    Input
		shape []int64
		want  Input
	}{
		{Input{}, []int64{-1, 96, 64, 1}, Input{Height: 96, Width: 64, Channels: 1}},
		{Input{}, []int64{-1, 3, 96, 64}, Input{Height: 96, Width: 64, Channels: 3, Layout: "NCHW"}},
		{Input{Height: 32, Layout: "NHWC"}, []int64{-1, 96, 64, 3}, Input{Height: 32, Width: 64, Channels: 3, Layout: "NHWC"}},
		{Input{}, []int64{-1, -1, -1, 3}, Input{Channels: 3}},
		{Input{}, []int64{-1, 1 << 40, 64, 3}, Input{Width: 64, Channels: 3}},
		{Input{}, []int64{-1, 50}, Input{}},
	} {
		if got := adopt(c.in, c.shape); got != c.want {
			t.Errorf("%+v %v: %+v", c.in, c.shape, got)
		}
	}
}

// TestEncodedImages: pixels and numbers, as rows or as planes of colours, have
// the same values in both formats.
func TestEncodedImages(t *testing.T) {
	for _, layout := range []string{"NHWC", "NCHW"} {
		for _, m := range []Manifest{{}, {Std: []float64{0.5, 0.25, 2}}} {
			m.Input = Input{Height: 5, Width: 7, Layout: layout}
			for _, name := range []string{"rgb", "gray"} {
				file := testImage(t, name)
				prep := NewPreprocessor(m)
				want := make([]float32, prep.Size())
				if err := prep.Tensor(want, file); err != nil {
					t.Fatal(err)
				}
				if layout == "NCHW" {
					planes := make([]float32, len(want))
					for i, v := range want {
						planes[i%3*35+i/3] = v
					}
					want = planes
				}
				binary, err := newPlan(m, serving.Binary).image(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(binary.ReadOnlyData(), little(want)) {
					t.Errorf("%s %s %v: binary differs", layout, name, m.Std)
				}
				text, err := newPlan(m, serving.JSON).image(file)
				if err != nil {
					t.Fatal(err)
				}
				var got []float32
				for word := range strings.FieldsFuncSeq(string(text.ReadOnlyData()), func(c rune) bool { return strings.ContainsRune("[],", c) }) {
					v, err := strconv.ParseFloat(word, 32)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, float32(v))
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s %s %v: text differs", layout, name, m.Std)
				}
			}
		}
	}
}
