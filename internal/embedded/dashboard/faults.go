package dashboard

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is one way in which a dashboard goes wrong on purpose.
type Fault struct {
	// Kind is "slow" (the answer waits), a status from 400 to 599 ("429", "500"; no content), "html" (a page with status
	// 200), "reset" (the connection is reset before an answer), "cut" (it ends in the middle of one) or "truncate" (part
	// of the answer, as though it were all).
	Kind string
	// Probability is that of a request to meet the fault, above 0 and at most 1.
	Probability float64
	// Part is what the path of such a request contains; empty for all. "truncate" without it concerns zips alone.
	Part string
}

// faultKinds are the kinds of a [Fault], for messages to people.
const faultKinds = "slow, a status such as 429 or 500, html, reset, cut, truncate"

// ParseFault reads "KIND=PROBABILITY[@PART]", such as "429=0.2", "truncate=1@.zip".
func ParseFault(text string) (Fault, error) {
	rule, part, _ := strings.Cut(text, "@")
	kind, number, _ := strings.Cut(rule, "=")
	probability, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q: want KIND=PROBABILITY[@PART OF PATH], such as 429=0.2 or truncate=1@.zip", text)
	}
	f := Fault{Kind: kind, Probability: probability, Part: part}
	return f, f.check()
}

func (f Fault) check() error {
	switch {
	case !(f.Probability > 0 && f.Probability <= 1):
		return fmt.Errorf("fault %s: probability %g, want more than 0 and at most 1", f.Kind, f.Probability)
	case f.Kind == "slow", f.Kind == "html", f.Kind == "reset", f.Kind == "cut", f.Kind == "truncate", f.status() != 0:
		return nil
	}
	return fmt.Errorf("fault %q: unknown, there are %s", f.Kind, faultKinds)
}

// status is that of a fault that is one, else 0.
func (f Fault) status() int {
	if n, err := strconv.Atoi(f.Kind); err == nil && n >= 400 && n <= 599 {
		return n
	}
	return 0
}

func (f Fault) concerns(path string) bool {
	part := f.Part
	if part == "" && f.Kind == "truncate" {
		part = ".zip"
	}
	return strings.Contains(path, part)
}

// FaultOptions say what goes wrong, and how.
type FaultOptions struct {
	// Faults are looked at in this order; the first that a request meets is the one it gets, but "slow" comes on top.
	Faults []Fault
	// Seed decides which requests meet them: with the same one, the nth request for a path always meets the same.
	Seed uint64
	// SlowBy is how long an answer waits that is slow.
	SlowBy time.Duration
	// RetryAfter goes with 429 and 503, in whole seconds; 0 leaves it out.
	RetryAfter time.Duration
	// Log tells each fault; nil discards it.
	Log *slog.Logger
}

// WithFaults puts faults before a handler. The error is about the options.
func WithFaults(next http.Handler, o FaultOptions) (http.Handler, error) {
	for _, f := range o.Faults {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &faulty{FaultOptions: o, next: next, asked: map[string]uint64{}}, nil
}

type faulty struct {
	FaultOptions
	next  http.Handler
	mu    sync.Mutex
	asked map[string]uint64 // how often, by path
}

// dice are thrown anew for each request, the same for the nth one of a path whatever else is asked in between.
func (f *faulty) dice(path string) *rand.Rand {
	f.mu.Lock()
	n := f.asked[path]
	f.asked[path]++
	f.mu.Unlock()
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", n, path)
	return rand.New(rand.NewPCG(f.Seed, h.Sum64()))
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	dice := f.dice(r.URL.Path)
	var met *Fault
	for i := range f.Faults {
		fault := &f.Faults[i]
		throw := dice.Float64() // whether it counts or not, so that another rule changes nothing about this one
		if !fault.concerns(r.URL.Path) || throw >= fault.Probability {
			continue
		}
		if fault.Kind != "slow" {
			if met == nil {
				met = fault
			}
			continue
		}
		f.Log.Info("fault", "kind", fault.Kind, "path", r.URL.Path)
		select {
		case <-time.After(f.SlowBy):
		case <-r.Context().Done():
			return
		}
	}
	if met == nil {
		f.next.ServeHTTP(w, r)
		return
	}
	f.Log.Info("fault", "kind", met.Kind, "path", r.URL.Path)
	f.inflict(w, r, *met, dice.Float64())
}

// inflict gives the fault in place of the answer, or the answer up to a share of it.
func (f *faulty) inflict(w http.ResponseWriter, r *http.Request, fault Fault, share float64) {
	switch fault.Kind {
	case "html":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html>\n<html lang=\"en\"><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>\n")
	case "reset":
		reset(w)
	case "cut", "truncate":
		whole := &kept{header: http.Header{}, status: http.StatusOK}
		f.next.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.header)
		w.Header().Del("Content-Length") // so that the end comes as a surprise
		w.WriteHeader(whole.status)
		_, _ = w.Write(whole.body.Bytes()[:int(share*float64(whole.body.Len()))]) // the client is gone: nobody to tell
		if fault.Kind == "cut" {
			_ = http.NewResponseController(w).Flush() // what there is gets out before the connection ends
			panic(http.ErrAbortHandler)
		}
	default:
		status := fault.status()
		if f.RetryAfter > 0 && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Round(time.Second).Seconds())))
		}
		http.Error(w, strings.ToLower(http.StatusText(status)), status)
	}
}

// reset ends a connection so that the client sees it reset. One that cannot be taken over (HTTP/2) is only ended.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// kept is an answer that is kept back as a whole.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }
