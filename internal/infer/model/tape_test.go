package model

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// tape holds the exchanges of a client with a real server: it records them, or
// plays them back to a client that says the same, byte for byte.
type tape struct {
	file   string
	record bool // asks the server, and writes the file at the end
	conn   *grpc.ClientConn

	mu        sync.Mutex
	exchanges []exchange // of a tape that plays, those that are left
}

// exchange is a question and its answer. Of the question it keeps the length,
// the digest and the beginning, since tensors are large.
type exchange struct {
	Call   string      `json:"call"` // method and path
	Header http.Header `json:"header,omitempty"`
	Length int         `json:"length"`
	Digest string      `json:"sha256"`
	Begins string      `json:"begins"`

	Code          int         `json:"code"` // of HTTP, or of gRPC
	Message       string      `json:"message,omitempty"`
	AnswerHeader  http.Header `json:"answer_header,omitempty"`
	Answer        string      `json:"answer,omitempty"`
	AnswerInBytes []byte      `json:"answer_bytes,omitempty"` // that are no text
}

// openTape opens a file of testdata/exchanges for playing, or for recording.
func openTape(t *testing.T, name string, record bool) *tape {
	t.Helper()
	p := &tape{file: filepath.Join("testdata", "exchanges", name+".json"), record: record}
	if record {
		t.Cleanup(func() {
			data, err := json.MarshalIndent(p.exchanges, "", " ")
			if err == nil {
				err = os.WriteFile(p.file, append(data, '\n'), 0o644)
			}
			if err != nil {
				t.Error(err)
			}
		})
		return p
	}
	data, err := os.ReadFile(p.file)
	if err == nil {
		err = json.Unmarshal(data, &p.exchanges)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := len(p.exchanges); n > 0 {
			t.Errorf("%d exchanges did not take place", n)
		}
	})
	return p
}

// question begins an exchange.
func question(call string, header http.Header, body []byte) exchange {
	kept := http.Header{}
	for _, name := range []string{"Content-Type", "Inference-Header-Content-Length"} {
		if v := header.Values(name); v != nil {
			kept[name] = v
		}
	}
	begins := fmt.Sprintf("%q", body[:min(len(body), 160)])
	return exchange{Call: call, Header: kept, Length: len(body), Digest: fmt.Sprintf("%x", sha256.Sum256(body)), Begins: begins[1 : len(begins)-1]}
}

// play gives an exchange with this question, each of them once. Requests that
// are under way at once have no order.
func (p *tape) play(q exchange) (exchange, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.exchanges {
		if e.Call == q.Call && e.Digest == q.Digest && fmt.Sprint(e.Header) == fmt.Sprint(q.Header) {
			p.exchanges = slices.Delete(p.exchanges, i, i+1)
			return e, nil
		}
	}
	var left []string
	for _, e := range p.exchanges {
		left = append(left, fmt.Sprintf("%s %v %d bytes %s", e.Call, e.Header, e.Length, e.Begins))
	}
	return exchange{}, fmt.Errorf("asked %s %v %d bytes %s\nthe tape has\n%s", q.Call, q.Header, q.Length, q.Begins, strings.Join(left, "\n"))
}

func (p *tape) add(e exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchanges = append(p.exchanges, e)
}

// RoundTrip answers over REST.
func (p *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	e := question(r.Method+" "+r.URL.Path, r.Header, body)
	if !p.record {
		e, err := p.play(e)
		if err != nil {
			return nil, err
		}
		answer := []byte(e.Answer)
		if e.AnswerInBytes != nil {
			answer = e.AnswerInBytes
		}
		return &http.Response{StatusCode: e.Code, Header: e.AnswerHeader, Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	res, err := http.DefaultTransport.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	e.Code, e.AnswerHeader = res.StatusCode, question("", res.Header, nil).Header
	e.keep(answer)
	p.add(e)
	res.Body = io.NopCloser(bytes.NewReader(answer))
	return res, res.Body.Close()
}

func (e *exchange) keep(answer []byte) {
	if json.Valid(answer) {
		e.Answer = string(answer)
	} else {
		e.AnswerInBytes = answer
	}
}

// parts sends a message as it is.
type parts struct{ frames }

func (parts) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

// serve answers over gRPC and gives its address; a tape that records asks the
// server at the other one.
func (p *tape) serve(t *testing.T, server string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if p.record {
		if p.conn, err = grpc.NewClient(server, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(parts{}))); err != nil {
			t.Fatal(err)
		}
	}
	s := grpc.NewServer(grpc.ForceServerCodecV2(parts{}), grpc.UnknownServiceHandler(p.stream), grpc.MaxRecvMsgSize(64<<20))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }() // ends with Stop
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if p.conn != nil {
			if err := p.conn.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return "grpc://" + l.Addr().String()
}

func (p *tape) stream(_ any, s grpc.ServerStream) error {
	var request []byte
	if err := s.RecvMsg(&request); err != nil {
		return err
	}
	method, _ := grpc.MethodFromServerStream(s)
	e, answer, err := p.call(s.Context(), method, request)
	if err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	if e.Code != 0 {
		return status.Error(codes.Code(e.Code), e.Message)
	}
	return s.SendMsg(answer)
}

func (p *tape) call(ctx context.Context, method string, request []byte) (exchange, []byte, error) {
	e := question(method, nil, request)
	if !p.record {
		e, err := p.play(e)
		return e, e.AnswerInBytes, err
	}
	var answer []byte
	err := p.conn.Invoke(ctx, method, request, &answer)
	e.Code, e.Message, e.AnswerInBytes = int(status.Code(err)), status.Convert(err).Message(), answer
	p.add(e)
	return e, answer, nil
}

// recorded are the tapes: what speaks at which address of the test server.
var recorded = []struct {
	name     string
	server   string // its name among the addresses
	path     string
	protocol string
	format   string
	model    string // in results
	version  string // where the server does not tell
}{
	{"tfserving-grpc", "tfs-grpc", "/ifcb-densenet", "", "", "ifcb-densenet:1", ""},
	{"tfserving-rest", "tfs", "/v1/models/ifcb-densenet", "tfserving", "", "ifcb-densenet:1", ""},
	{"kserve-v1-rest", "http", "/v1/models/ifcb-densenet", "kserve-v1", "", "ifcb-densenet:2026", "2026"},
	{"kserve-v1-rest-png", "http", "/v1/models/ifcb-densenet", "kserve-v1", "png", "ifcb-densenet:2026", "2026"},
	{"open-inference-grpc", "grpc", "/ifcb-densenet", "", "", "ifcb-densenet:2026", "2026"},
	{"open-inference-rest", "http", "/v2/models/ifcb-densenet", "", "", "ifcb-densenet:2026", "2026"},
	{"open-inference-rest-json", "http", "/v2/models/ifcb-densenet", "", "json", "ifcb-densenet:2026", "2026"},
	{"triton-grpc", "triton-grpc", "/ifcb-densenet", "", "", "ifcb-densenet:3", ""},
	{"triton-grpc-version", "triton-grpc", "/ifcb-densenet/versions/1", "open-inference", "", "ifcb-densenet:1", ""},
	{"triton-rest", "triton", "/v2/models/ifcb-densenet", "", "", "ifcb-densenet:3", ""},
	{"triton-rest-json", "triton", "/v2/models/ifcb-densenet", "", "json", "ifcb-densenet:3", ""},
	{"triton-rest-version", "triton", "/v2/models/ifcb-densenet/versions/1", "", "", "ifcb-densenet:1", ""},
}

// TestRecorded: the client says what real servers took, and understands what
// they answered. Each tape has a request for two images and one for one.
func TestRecorded(t *testing.T) {
	for _, r := range recorded {
		t.Run(r.name, func(t *testing.T) {
			throughTape(t, openTape(t, r.name, false), r.server, r.path, r.protocol, r.format, r.version, r.model, nil)
		})
	}
}

// throughTape classifies three images by way of a tape; addresses are those of
// the servers that a tape records.
func throughTape(t *testing.T, p *tape, server, path, protocol, format, version, model string, addresses map[string]string) {
	t.Helper()
	opts := Options{Protocol: protocol, Format: format, Version: version, BatchSize: 2, InFlight: 1}
	if strings.HasSuffix(server, "grpc") {
		opts.Model = p.serve(t, addresses[server]) + path
	} else {
		opts.Transport = p
		opts.Model = "http://127.0.0.1:18501" + path // no tape has the address
		if a := addresses[server]; a != "" {
			opts.Model = a + path
		}
	}
	checkTrivial(t, open(t, opts), model)
}
