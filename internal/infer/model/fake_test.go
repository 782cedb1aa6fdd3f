package model

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"

	"github.com/axiom-data-science/hydraulics/internal/test/race"
)

// side is that of the images that the fakes' metadata ask for. Reading them is
// what takes time under the race detector.
var side = 224

func init() {
	if race.Enabled {
		side = 28
	}
}

// small gives a manifest with the side, for servers that do not tell it; none
// where it is the one of models without a manifest.
func small(t *testing.T) string {
	t.Helper()
	if side == 224 {
		return ""
	}
	return filepath.Join(folder(t, map[string][]byte{"m.yaml": fmt.Appendf(nil, "input: {height: %d, width: %[1]d}\n", side)}), "m.yaml")
}

// fake is a server of all protocols that a test can bend.
type fake struct {
	t    *testing.T
	stop chan struct{} // closed at the end of the test: a server that hangs lets go

	mu       sync.Mutex
	version  string // empty is one that it does not tell
	next     string // the version after the next answer
	silent   bool   // answers do not name the version
	ready    bool
	classes  int
	other    float32 // what the classes but the second have
	limit    int     // images that it takes at once, 0 for any number
	hang     bool
	hung     func() // is called when a request hangs
	page     bool   // it answers web pages
	busy     bool
	empty    bool     // its answers have nothing in them
	float64s bool     // its outputs are doubles
	labels   string   // in its metadata
	images   []int    // of each request
	asked    []string // version of each request
	metadata int      // requests for it
}

// protocols are the ways of asking a model server.
var protocols = []struct {
	name, path, protocol, format string
	grpc                         bool
}{
	{"tfserving gRPC", "/ifcb", "tfserving", "", true},
	{"open-inference gRPC", "/v2/models/ifcb", "", "", true},
	{"tfserving REST", "/v1/models/ifcb", "tfserving", "", false},
	{"tfserving REST PNG", "/v1/models/ifcb", "tfserving", "png", false},
	{"kserve-v1 REST", "/v1/models/ifcb", "kserve-v1", "", false},
	{"open-inference REST", "/v2/models/ifcb", "", "", false},
	{"open-inference REST JSON", "/v2/models/ifcb", "", "json", false},
}

// eachProtocol runs a test with a fresh server of each protocol.
func eachProtocol(t *testing.T, do func(t *testing.T, f *fake, opts Options)) {
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			f := newFake(t)
			opts := Options{Model: f.serve(p.grpc) + p.path, Protocol: p.protocol, Format: p.format, Manifest: small(t)}
			if p.protocol == "kserve-v1" {
				f.version, opts.Version = "", "3"
			}
			do(t, f, opts)
		})
	}
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, version: "3", ready: true, classes: 50, stop: make(chan struct{})}
	return f
}

// serve starts the server and gives its address.
func (f *fake) serve(overGRPC bool) string {
	if !overGRPC {
		h := httptest.NewServer(f)
		f.t.Cleanup(h.Close)
		f.t.Cleanup(f.release)
		return h.URL
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	s := grpc.NewServer(grpc.ForceServerCodecV2(frames{}), grpc.UnknownServiceHandler(f.stream), grpc.MaxRecvMsgSize(64<<20))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }() // ends with Stop
	f.t.Cleanup(func() {
		f.release()
		s.Stop()
		if err := <-served; err != nil {
			f.t.Error(err)
		}
	})
	return "grpc://" + l.Addr().String()
}

func (f *fake) release() {
	select {
	case <-f.stop:
	default:
		close(f.stop)
	}
}

// set changes the server's behaviour while it runs.
func (f *fake) set(do func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(f)
}

// predict gives the values for n images, and the version that gave them.
func (f *fake) predict(n int, version string) (values []float32, answered string) {
	f.images, f.asked = append(f.images, n), append(f.asked, version)
	for range n {
		for c := range f.classes {
			v := f.other
			if c == 1 {
				v = 1
			}
			values = append(values, v)
		}
	}
	answered = f.version
	if f.next != "" {
		f.version, f.next = f.next, ""
	}
	if f.silent {
		answered = ""
	}
	return values, answered
}

// ServeHTTP answers REST.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	infer := r.Method == http.MethodPost
	switch {
	case f.hang && infer:
		if f.hung != nil {
			f.hung()
		}
		f.mu.Unlock()
		select {
		case <-f.stop:
		case <-r.Context().Done():
		}
		f.mu.Lock()
		return
	case f.page:
		fmt.Fprint(w, "<!DOCTYPE html><p>log in</p>")
		return
	case f.busy && infer:
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case f.empty && infer:
		fmt.Fprint(w, "{}")
		return
	}
	version := ""
	path, rest, ok := strings.Cut(r.URL.Path, "/versions/")
	if ok {
		end := strings.IndexAny(rest+"/", ":/")
		version, rest = rest[:end], rest[end:]
	}
	path += rest
	if version != "" && version != f.version {
		http.Error(w, `{"error":"Servable not found for request: Specific(ifcb, 2)"}`, http.StatusNotFound)
		return
	}
	state := "AVAILABLE"
	if !f.ready {
		state = "LOADING"
	}
	switch path {
	case "/v1/models/ifcb":
		if f.version == "" {
			fmt.Fprintf(w, `{"name":"ifcb","ready":%t}`, f.ready)
			return
		}
		fmt.Fprintf(w, `{"model_version_status":[{"version":%q,"state":%q,"status":{}}]}`, f.version, state)
	case "/v1/models/ifcb:predict":
		var in struct{ Instances []json.RawMessage }
		f.read(body, &in)
		f.rest(w, len(in.Instances), version, func(values []float32, _ string) {
			fmt.Fprintf(w, `{"predictions":%s}`, f.lists(values))
		})
	case "/v2/models/ifcb/ready":
		if !f.ready {
			w.WriteHeader(http.StatusBadRequest) // as Triton does
		}
	case "/v2/models/ifcb":
		f.metadata++
		fmt.Fprintf(w, `{"name":"ifcb","versions":[%q],"inputs":[{"name":"x","datatype":"FP32","shape":[-1,%d,%d,3]}],"outputs":[{"name":"p","datatype":"FP32","shape":[-1,50]}],"parameters":{"labels":%q}}`, f.version, side, side, f.labels)
	case "/v2/models/ifcb/infer":
		f.infer(w, r, body, version)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":"not found"}`)
	}
}

func (f *fake) infer(w http.ResponseWriter, r *http.Request, body []byte, version string) {
	head := body
	if text := r.Header.Get("Inference-Header-Content-Length"); text != "" {
		at := 0
		fmt.Sscan(text, &at)
		head = body[:at]
	}
	var in struct {
		Inputs []struct {
			Name  string
			Shape []int
			Data  json.RawMessage
			Sizes struct {
				Bytes int `json:"binary_data_size"`
			} `json:"parameters"`
		}
	}
	f.read(head, &in)
	n, raw := in.Inputs[0].Shape[0], in.Inputs[0].Data == nil
	if raw && (len(body)-len(head) != n*side*side*3*4 || in.Inputs[0].Sizes.Bytes != len(body)-len(head)) {
		f.t.Errorf("%d bytes for %d images, said to be %d", len(body)-len(head), n, in.Inputs[0].Sizes.Bytes)
	}
	f.rest(w, n, version, func(values []float32, answered string) {
		if raw && len(f.images)%2 == 1 {
			head := fmt.Sprintf(`{"model_name":"ifcb","model_version":%q,"outputs":[{"name":"p","datatype":"FP32","shape":[%d,%d],"parameters":{"binary_data_size":%d}}]}`, answered, n, f.classes, 4*len(values))
			w.Header().Set("Inference-Header-Content-Length", fmt.Sprint(len(head)))
			fmt.Fprint(w, head, string(little(values)))
			return
		}
		fmt.Fprintf(w, `{"model_name":"ifcb","model_version":%q,"outputs":[{"name":"p","datatype":"FP32","shape":[%d,%d],"data":%s}]}`, answered, n, f.classes, f.lists(values))
	})
}

// rest answers a request for n images over REST, if they are not too many.
func (f *fake) rest(w http.ResponseWriter, n int, version string, answer func([]float32, string)) {
	if f.limit > 0 && n > f.limit {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	answer(f.predict(n, version))
}

func (f *fake) read(data []byte, into any) {
	if err := json.Unmarshal(data, into); err != nil {
		f.t.Errorf("the request is no JSON: %v", err)
	}
}

// lists writes rows of values as JSON, in which Python writes NaN.
func (f *fake) lists(values []float32) string {
	var rows []string
	for ; len(values) > 0; values = values[f.classes:] {
		rows = append(rows, strings.ReplaceAll(fmt.Sprint(values[:f.classes]), " ", ","))
	}
	return "[" + strings.Join(rows, ",") + "]"
}
