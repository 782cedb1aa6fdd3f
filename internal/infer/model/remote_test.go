package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// server is a TensorFlow Serving that a test can bend. Its answers have the
// form of recorded ones.
type server struct {
	t   *testing.T
	url string

	mu      sync.Mutex // held while a request is answered
	version string
	state   string
	// predict answers a request for n images; nil answers probabilities.
	predict func(w http.ResponseWriter, n int)
	asked   []string // the paths of the requests
	images  []int    // of each prediction request
	noMeta  bool
	kserve  bool
	first   float64 // the first value of the last image
}

func newServer(t *testing.T) *server {
	s := &server{t: t, version: "3", state: "AVAILABLE"}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = h.URL + "/v1/models/ifcb"
	return s
}

// serve changes the version.
func (s *server) serve(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Path)
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/models/ifcb")
	if !ok {
		http.Error(w, `{"error":"Malformed request"}`, http.StatusNotFound)
		return
	}
	pinned := "/versions/" + s.version
	switch {
	case path == "" && s.kserve:
		fmt.Fprint(w, `{"name":"ifcb","ready":true}`)
	case path == "" || path == pinned:
		fmt.Fprintf(w, `{"model_version_status":[{"version":"1","state":"END","status":{"error_code":"OK","error_message":""}},`+
			`{"version":%q,"state":%q,"status":{"error_code":"OK","error_message":""}}]}`, s.version, s.state)
	case path == pinned+"/metadata" && !s.noMeta:
		fmt.Fprintf(w, `{"model_spec":{"name":"ifcb","version":%q,"signature_name":""},"metadata":{"signature_def":{"signature_def":{"serving_default":{`+
			`"inputs":{"input":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1"},{"size":"%d"},{"size":"%[2]d"},{"size":"3"}]}}},`+
			`"outputs":{"p":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1"},{"size":"50"}]}}}}}}}}`, s.version, side)
	case path == pinned+":predict" || s.kserve && path == ":predict":
		var body struct {
			Instances [][][][]float64
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			s.t.Errorf("the request is no JSON: %v", err)
		}
		for _, img := range body.Instances {
			want := side
			if s.kserve || s.noMeta {
				want = 224 // where nothing tells
			}
			if len(img) != want || len(img[want-1]) != want || len(img[want-1][want-1]) != 3 {
				s.t.Errorf("an image is not %dx%[1]dx3", want)
			}
			s.first = img[0][0][0]
		}
		s.images = append(s.images, len(body.Instances))
		if s.predict != nil {
			s.predict(w, len(body.Instances))
			return
		}
		answer(w, len(body.Instances), 50, "0")
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":"Servable not found for request: Specific(ifcb, 2)"}`)
	}
}

// answer gives n rows in which the second class is certain; other is what the
// other classes have.
func answer(w http.ResponseWriter, n, classes int, other string) {
	row := "[" + other + ",1.0" + strings.Repeat(","+other, classes-2) + "]"
	fmt.Fprintf(w, `{"predictions":[%s]}`, strings.TrimSuffix(strings.Repeat(row+",", n), ","))
}

func TestRemote(t *testing.T) {
	s := newServer(t)
	c := open(t, Options{Model: s.url, BatchSize: 2})
	gray := testImage(t, "gray")
	results := c.Classify(t.Context(), [][]byte{gray, []byte("bad"), gray, gray})
	for i, r := range results {
		if i == 1 {
			if connector.KindOf(r.Err) != connector.KindData {
				t.Errorf("a bad image gives %v", r.Err)
			}
			continue
		}
		if r.Err != nil || r.Class != "Alexandrium_singlet" || r.Prob != 1 || r.Model != "ifcb:3" {
			t.Errorf("image %d: %+v", i, r)
		}
	}
	want := "/v1/models/ifcb /v1/models/ifcb/versions/3/metadata /v1/models/ifcb/versions/3:predict /v1/models/ifcb/versions/3:predict"
	if got := strings.Join(s.asked, " "); got != want {
		t.Errorf("asked %s", got)
	}
	if float32(s.first) != NewPreprocessor(Manifest{}).table[uint8(s.first*255+0.5)] {
		t.Errorf("the first pixel was sent as %v", s.first)
	}
}

func TestRemoteURLs(t *testing.T) {
	s := newServer(t)
	for _, url := range []string{s.url, s.url + "/", s.url + ":predict", s.url + "/versions/3", s.url + "/versions/3:predict"} {
		c := open(t, Options{Model: url})
		if r := c.Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]; r.Err != nil || r.Model != "ifcb:3" {
			t.Errorf("%s: %+v", url, r)
		}
	}
	for _, url := range []string{"http://", "http://h:8501", "http://h/v1/models/", "http://user:secret@h/v1/models/m/versions"} {
		if _, err := Open(Options{Model: url}); err == nil || !strings.Contains(err.Error(), "/v1/models/NAME") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestRemoteFaults: each fault of a server has the kind of error that lets the
// runtime do the right thing, and says what is wrong.
func TestRemoteFaults(t *testing.T) {
	status := func(code int, body string) func(http.ResponseWriter, int) {
		return func(w http.ResponseWriter, _ int) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	cases := []struct {
		name string
		bend func(*server)
		opts Options
		kind connector.Kind
		want string
	}{
		{"loading", func(s *server) { s.state = "LOADING" }, Options{}, connector.KindRetriable, "no version is available: 1 END; 3 LOADING"},
		{"web page", func(s *server) { s.predict = status(200, "<!DOCTYPE html><p>log in</p>") }, Options{}, connector.KindRetriable, "web page (status 200), not JSON: <!DOCTYPE"},
		{"bad gateway", func(s *server) { s.predict = status(502, "<html>502</html>") }, Options{}, connector.KindRetriable, "status 502"},
		{"busy", func(s *server) { s.predict = status(429, "") }, Options{}, connector.KindRetriable, "status 429: (empty)"},
		{"forbidden", func(s *server) { s.predict = status(403, "no") }, Options{}, connector.KindFatal, "status 403: no"},
		{"refused", func(s *server) { s.predict = status(400, `{"error":"shape"}`) }, Options{}, connector.KindData, `status 400: {"error":"shape"}`},
		{"no JSON", func(s *server) { s.predict = status(200, "hello") }, Options{}, connector.KindFatal, "no JSON"},
		{"no predictions", func(s *server) { s.predict = status(200, `{"outputs":[]}`) }, Options{}, connector.KindFatal, "has no predictions"},
		{"too few rows", func(s *server) { s.predict = func(w http.ResponseWriter, n int) { answer(w, n+1, 50, "0") } }, Options{}, connector.KindFatal, "2 predictions for 1 images"},
		{"5 of 50", func(s *server) { s.predict = func(w http.ResponseWriter, n int) { answer(w, n, 5, "0") } }, Options{}, connector.KindFatal, "5 outputs and nothing names them"},
		{"51 of 50", func(s *server) { s.predict = func(w http.ResponseWriter, n int) { answer(w, n, 51, "0") } }, Options{}, connector.KindFatal, "51 outputs"},
		{"NaN", func(s *server) { s.predict = func(w http.ResponseWriter, n int) { answer(w, n, 50, "NaN") } }, Options{}, connector.KindData, "NaN for class Akashiwo"},
		{"infinite", func(s *server) { s.predict = func(w http.ResponseWriter, n int) { answer(w, n, 50, "-Infinity") } }, Options{}, connector.KindData, "NaN for class Akashiwo"},
		{"not probabilities", func(s *server) { s.predict = func(w http.ResponseWriter, n int) { answer(w, n, 50, "0.5") } }, Options{}, connector.KindFatal, "output: logits"},
		{"wrong model", func(s *server) { s.url += "x" }, Options{}, connector.KindFatal, "status 404"},
		{"no version", func(s *server) { s.kserve = true }, Options{}, connector.KindFatal, "set model.version"},
		{"hangs", func(s *server) {
			released := make(chan struct{})
			s.predict = func(http.ResponseWriter, int) { <-released }
			s.t.Cleanup(func() { close(released) }) // runs before the server's Close
		}, Options{Timeout: 300 * time.Millisecond}, connector.KindRetriable, "no answer within 300ms"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			c.bend(s)
			c.opts.Model = s.url
			r := open(t, c.opts).Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
			if connector.KindOf(r.Err) != c.kind || !strings.Contains(r.Err.Error(), c.want) {
				t.Errorf("got %s error %v\nwant %s, %s", connector.KindOf(r.Err), r.Err, c.kind, c.want)
			}
			if e, ok := errors.AsType[*connector.Error](r.Err); ok && c.name == "busy" && e.After != 7*time.Second {
				t.Errorf("Retry-After is %s", e.After)
			}
		})
	}
}

func TestRemoteAway(t *testing.T) {
	h := httptest.NewServer(http.NotFoundHandler())
	h.Close()
	r := open(t, Options{Model: strings.Replace(h.URL, "http://", "http://user:secret@", 1) + "/v1/models/m"}).Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
	if connector.KindOf(r.Err) != connector.KindRetriable || strings.Contains(r.Err.Error(), "secret") {
		t.Errorf("got %v", r.Err)
	}
}

// TestRemoteSplitsRefusedBatch: where a server refuses a request, the images
// are asked for one by one.
func TestRemoteSplitsRefusedBatch(t *testing.T) {
	s := newServer(t)
	s.predict = func(w http.ResponseWriter, n int) {
		if n > 1 || len(s.images) == 3 {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"bad image"}`)
			return
		}
		answer(w, n, 50, "0")
	}
	gray := testImage(t, "gray")
	results := open(t, Options{Model: s.url}).Classify(t.Context(), [][]byte{gray, gray, gray})
	for i, r := range results {
		if (i == 1) != (r.Err != nil) {
			t.Errorf("image %d: %+v", i, r)
		}
	}
}

// TestRemoteNewVersion: a version that is unloaded is asked for again, and what
// is reported is the version that answered.
func TestRemoteNewVersion(t *testing.T) {
	s := newServer(t)
	c := open(t, Options{Model: s.url})
	images := [][]byte{testImage(t, "gray")}
	if r := c.Classify(t.Context(), images)[0]; r.Model != "ifcb:3" {
		t.Fatalf("%+v", r)
	}
	s.serve("4")
	if r := c.Classify(t.Context(), images)[0]; connector.KindOf(r.Err) != connector.KindRetriable {
		t.Fatalf("%+v", r)
	}
	if r := c.Classify(t.Context(), images)[0]; r.Err != nil || r.Model != "ifcb:4" {
		t.Errorf("%+v", r)
	}
	s.serve("5")
	c.(*remote).now = func() time.Time { return time.Now().Add(time.Hour) }
	if r := c.Classify(t.Context(), images)[0]; r.Err != nil || r.Model != "ifcb:5" {
		t.Errorf("%+v", r)
	}
}

func TestRemoteSignature(t *testing.T) {
	s := newServer(t)
	dir := folder(t, map[string][]byte{"m.yaml": fmt.Appendf(nil, "input: {height: 96, width: %d}\nlabels: [a, b]\n", side)})
	r := open(t, Options{Model: s.url, Manifest: dir + "/m.yaml"}).Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
	want := fmt.Sprintf("dimension 1 of its input input is %d, the manifest says 96\nits output p has 50 classes, there are 2 labels", side)
	if connector.KindOf(r.Err) != connector.KindFatal || !strings.Contains(r.Err.Error(), want) {
		t.Errorf("got %v", r.Err)
	}
}

func TestRemoteKServe(t *testing.T) {
	s := newServer(t)
	s.kserve = true
	s.predict = func(w http.ResponseWriter, n int) {
		fmt.Fprint(w, `{"predictions":[{"probabilities":[1`+strings.Repeat(",0", 49)+`],"other":[1]}]}`)
	}
	r := open(t, Options{Model: s.url, Version: "2024-05"}).Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
	if r.Err != nil || r.Model != "ifcb:2024-05" || r.Class != "Akashiwo" {
		t.Errorf("%+v", r)
	}
}
