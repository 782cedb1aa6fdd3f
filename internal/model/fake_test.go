package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

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
			opts := Options{Model: f.serve(p.grpc) + p.path, Protocol: p.protocol, Format: p.format}
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

// frames passes messages as bytes.
type frames struct{}

func (frames) Name() string { return "proto" }
func (frames) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}
func (frames) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
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

// stream answers a call of gRPC.
func (f *fake) stream(_ any, s grpc.ServerStream) error {
	var request, answer []byte
	if err := s.RecvMsg(&request); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(s)
	f.mu.Lock()
	hang, err := f.hang && (strings.HasSuffix(method, "/Predict") || strings.HasSuffix(method, "/ModelInfer")), error(nil)
	if !hang {
		answer, err = f.call(method, request)
	} else if f.hung != nil {
		f.hung()
	}
	f.mu.Unlock()
	if hang {
		select {
		case <-f.stop:
		case <-s.Context().Done():
		}
		return status.Error(codes.Canceled, "it hung")
	}
	if err != nil {
		return err
	}
	return s.SendMsg(&answer)
}

func (f *fake) call(method string, request []byte) ([]byte, error) {
	fields := parse(request)
	infer := strings.HasSuffix(method, "/Predict") || strings.HasSuffix(method, "/ModelInfer")
	switch {
	case f.busy && infer:
		return nil, status.Error(codes.ResourceExhausted, "queue is full")
	case f.empty && infer:
		return nil, nil
	case strings.HasPrefix(method, "/inference."):
		return f.open(method, fields)
	}
	spec := parse(fields[1][0])
	version := ""
	if v := spec[2]; v != nil {
		version = fmt.Sprint(number(parse(v[0])[1]))
	}
	if string(spec[1][0]) != "ifcb" || version != "" && version != f.version {
		return nil, status.Errorf(codes.NotFound, "Servable not found for request: Specific(%s, %s)", spec[1][0], version)
	}
	n := uint64(0)
	fmt.Sscan(f.version, &n)
	switch {
	case strings.HasSuffix(method, "/GetModelStatus"):
		state := uint64(30)
		if !f.ready {
			state = 20
		}
		return pb(1, pb(1, n), pb(2, state)), nil
	case strings.HasSuffix(method, "/GetModelMetadata"):
		f.metadata++
		kind := uint64(1)
		dims := func(list ...int64) (b []byte) {
			for _, d := range list {
				b = append(b, pb(2, pb(1, uint64(d)))...)
			}
			return b
		}
		def := append(pb(1, pb(1, "x"), pb(2, pb(2, kind), pb(3, dims(-1, 224, 224, 3)))), pb(2, pb(1, "p"), pb(2, pb(2, kind), pb(3, dims(-1, 50))))...)
		return pb(2, pb(1, "signature_def"), pb(2, pb(1, "type"), pb(2, pb(1, pb(1, "serving_default"), pb(2, def))))), nil
	case strings.HasSuffix(method, "/Predict"):
		input := parse(fields[2][0])
		tensor := parse(input[2][0])
		images := int(number(parse(parse(tensor[2][0])[2][0])[1]))
		if want := images * 224 * 224 * 3 * 4; string(input[1][0]) != "x" || len(tensor[4][0]) != want {
			f.t.Errorf("input %s has %d bytes, expected x with %d", input[1][0], len(tensor[4][0]), want)
		}
		if f.limit > 0 && images > f.limit {
			return nil, status.Error(codes.ResourceExhausted, "Received message larger than max (4816896 vs. 4194304)")
		}
		values, answered := f.predict(images, version)
		shape := append(pb(2, pb(1, uint64(images))), pb(2, pb(1, uint64(f.classes)))...)
		out := append(pb(1, uint64(1)), pb(2, shape)...)
		if len(f.images)%2 == 0 {
			out = append(out, pb(4, little(values))...)
		} else {
			out = append(out, pb(5, little(values))...) // packed floats
		}
		if f.float64s {
			out = append(append(pb(1, uint64(2)), pb(2, shape)...), pb(4, little64(values))...)
		}
		answer := pb(1, pb(1, "p"), pb(2, out))
		if answered != "" {
			fmt.Sscan(answered, &n)
			answer = append(answer, pb(2, pb(1, "ifcb"), pb(2, pb(1, n)))...)
		}
		return answer, nil
	}
	return nil, status.Error(codes.Unimplemented, "unknown service")
}

func (f *fake) open(method string, fields map[protowire.Number][][]byte) ([]byte, error) {
	switch {
	case strings.HasSuffix(method, "/ServerReady"):
		if f.ready {
			return pb(1, uint64(1)), nil
		}
		return nil, nil
	case strings.HasSuffix(method, "/ModelMetadata"):
		f.metadata++
		if string(fields[1][0]) != "ifcb" {
			return nil, status.Error(codes.NotFound, "no such model")
		}
		dims := func(list ...int64) (b []byte) {
			for _, d := range list {
				b = protowire.AppendVarint(b, uint64(d))
			}
			return b
		}
		b := append(pb(1, "ifcb"), pb(4, pb(1, "x"), pb(2, "FP32"), pb(3, dims(-1, 224, 224, 3)))...)
		b = append(b, pb(5, pb(1, "p"), pb(2, "FP32"), pb(3, dims(-1, 50)))...)
		if f.version != "" {
			b = append(b, append(pb(2, "1"), pb(2, f.version)...)...)
		}
		if f.labels != "" {
			b = append(b, pb(6, pb(1, "labels"), pb(2, f.labels))...)
		}
		return b, nil
	case strings.HasSuffix(method, "/ModelInfer"):
		input := parse(fields[5][0])
		n, _ := protowire.ConsumeVarint(input[3][0])
		images := int(n)
		if want := images * 224 * 224 * 3 * 4; string(input[1][0]) != "x" || string(input[2][0]) != "FP32" || len(fields[7][0]) != want {
			f.t.Errorf("input %s %s has %d bytes, expected x FP32 with %d", input[1][0], input[2][0], len(fields[7][0]), want)
		}
		version := ""
		if v := fields[2]; v != nil {
			version = string(v[0])
		}
		if version != "" && version != f.version {
			return nil, status.Errorf(codes.NotFound, "version %s is not there", version)
		}
		if f.limit > 0 && images > f.limit {
			return nil, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (4816896 vs. 4194304)")
		}
		values, answered := f.predict(images, version)
		kind, data := "FP32", little(values)
		if f.float64s {
			kind, data = "FP64", little64(values)
		}
		shape := protowire.AppendVarint(protowire.AppendVarint(nil, n), uint64(f.classes))
		b := append(pb(1, "ifcb"), pb(2, answered)...)
		if len(f.images)%2 == 0 && !f.float64s {
			return append(b, pb(5, pb(1, "p"), pb(2, kind), pb(3, shape), pb(5, pb(6, data)))...), nil
		}
		return append(append(b, pb(5, pb(1, "p"), pb(2, kind), pb(3, shape))...), pb(6, data)...), nil
	}
	return nil, status.Error(codes.Unimplemented, "unknown service")
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
	case "/v2/health/ready":
		if !f.ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	case "/v2/models/ifcb":
		f.metadata++
		fmt.Fprintf(w, `{"name":"ifcb","versions":[%q],"inputs":[{"name":"x","datatype":"FP32","shape":[-1,224,224,3]}],"outputs":[{"name":"p","datatype":"FP32","shape":[-1,50]}],"parameters":{"labels":%q}}`, f.version, f.labels)
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
	if raw && (len(body)-len(head) != n*224*224*3*4 || in.Inputs[0].Sizes.Bytes != len(body)-len(head)) {
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

// pb makes a field of a message, whose parts are fields, text or one number.
func pb(id protowire.Number, parts ...any) []byte {
	var inner []byte
	for _, p := range parts {
		switch x := p.(type) {
		case uint64:
			return protowire.AppendVarint(protowire.AppendTag(nil, id, protowire.VarintType), x)
		case string:
			inner = append(inner, x...)
		case []byte:
			inner = append(inner, x...)
		}
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, id, protowire.BytesType), inner)
}

// parse gives the fields of a message by number; a number as its varint.
func parse(message []byte) map[protowire.Number][][]byte {
	m := map[protowire.Number][][]byte{}
	for len(message) > 0 {
		id, kind, n := protowire.ConsumeTag(message)
		message = message[n:]
		size := protowire.ConsumeFieldValue(id, kind, message)
		value := message[:size]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		m[id] = append(m[id], value)
		message = message[size:]
	}
	return m
}

func number(values [][]byte) uint64 {
	n, _ := protowire.ConsumeVarint(values[0])
	return n
}

func little(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func little64(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
	}
	return b
}
