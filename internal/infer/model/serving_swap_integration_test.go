//go:build integration

package model

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TestServingSwap goes on from one version of a served model to the next while
// images are classified. TensorFlow Serving would load the next one beside the
// one in use; of these servers each has one version, which is that of a server
// that was started anew: between the two no image can be classified, and each
// waits until the next version has passed the comparison.
func TestServingSwap(t *testing.T) {
	now, next := servers(t), serversOf(t, "HYDRAULICS_SERVING_NEXT")
	for _, c := range []struct{ server, scheme, path string }{
		{"tfs-grpc", "grpc://", "/ifcb-densenet"},
		{"tfs", "http://", "/v1/models/ifcb-densenet"},
	} {
		t.Run(c.server, func(t *testing.T) {
			at := newTurnout(t, hostOf(t, now[c.server]))
			var seen notes
			model := open(t, Options{Model: c.scheme + at.addr + c.path, Protocol: "tfserving", Refresh: 50 * time.Millisecond,
				Swap: Swap{Every: 20 * time.Millisecond, Images: 8, Agreement: 1, Drift: 1e-6, Note: seen.add}})
			const old, new = "ifcb-densenet:1", "ifcb-densenet:2"
			for range 3 {
				checkTrivial(t, model, old)
			}
			at.turn(hostOf(t, next[c.server]))
			waited, waits := 0, ""
			deadline := time.Now().Add(time.Minute)
			for got := ""; got != new; { // as the runtime does: what may be retried is retried
				r := model.Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
				if got = r.Model; r.Err != nil {
					waited, waits = waited+1, r.Err.Error()
				}
				if r.Err != nil && connector.KindOf(r.Err) != connector.KindRetriable || r.Err == nil && got != new || time.Now().After(deadline) {
					t.Fatalf("between the versions an image gives %+v", r)
				}
			}
			if e := seen.wait(t, 0); e.Err != nil || e.From != old || e.To != new || e.Images != 8 || e.Agreement != 1 {
				t.Errorf("the swap was %+v", e)
			}
			checkTrivial(t, model, new)
			t.Logf("%d times a batch was told to wait, last: %s", waited, waits)
		})
	}
}

// TestServingSwapBeside goes on to a version that the server has loaded beside
// the one in use: every image is classified, none is told to wait.
func TestServingSwapBeside(t *testing.T) {
	at := servers(t)
	models := filepath.Join(at["triton-models"], "ifcb-densenet")
	for i, c := range []struct{ server, url string }{
		{"triton-grpc", "grpc://" + at["triton-grpc"] + "/ifcb-densenet"},
		{"triton", at["triton"] + "/v2/models/ifcb-densenet"},
	} {
		t.Run(c.server, func(t *testing.T) {
			var seen notes
			model := open(t, Options{Model: c.url, Refresh: 50 * time.Millisecond,
				Swap: Swap{Every: 20 * time.Millisecond, Images: 8, Agreement: 1, Drift: 1e-6, Note: seen.add}})
			old, new := fmt.Sprintf("ifcb-densenet:%d", 3+i), fmt.Sprintf("ifcb-densenet:%d", 4+i)
			for range 3 {
				checkTrivial(t, model, old)
			}
			addVersion(t, models, 4+i)
			images, deadline := 0, time.Now().Add(time.Minute)
			for got := old; got != new; images++ {
				r := model.Classify(t.Context(), [][]byte{testImage(t, "gray")})[0]
				if got = r.Model; r.Err != nil || got != old && got != new || time.Now().After(deadline) {
					t.Fatalf("while a version is added an image gives %+v", r)
				}
			}
			if e := seen.wait(t, 0); e.Err != nil || e.From != old || e.To != new || e.Images != 8 || e.Agreement != 1 {
				t.Errorf("the swap was %+v", e)
			}
			checkTrivial(t, model, new)
			t.Logf("%d images were classified until the new version answered", images)
		})
	}
}

// addVersion puts one more version of a model, all at once, where Triton looks.
func addVersion(t *testing.T, models string, version int) {
	t.Helper()
	beside, err := os.MkdirTemp(filepath.Dir(filepath.Dir(models)), "version-")
	if err == nil {
		err = os.CopyFS(beside, os.DirFS(filepath.Join(models, "3")))
	}
	if err == nil {
		err = os.Rename(beside, filepath.Join(models, strconv.Itoa(version)))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// hostOf gives the address in a URL, or the one that a text is.
func hostOf(t *testing.T, text string) string {
	t.Helper()
	if !strings.Contains(text, "://") {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// turnout is an address whose connections lead to one server, then to another.
type turnout struct {
	addr string

	mu    sync.Mutex
	to    string
	conns map[net.Conn]bool
}

func newTurnout(t *testing.T, to string) *turnout {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &turnout{addr: l.Addr().String(), to: to, conns: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() { // until the listener is closed
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.pass(in) })
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		s.turn("")
		all.Wait()
	})
	return s
}

// turn ends the connections that there are; new ones lead elsewhere.
func (s *turnout) turn(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
	for c := range s.conns {
		_ = c.Close() // the other side may have closed it
	}
	clear(s.conns)
}

func (s *turnout) pass(in net.Conn) {
	defer in.Close()
	s.mu.Lock()
	out, err := net.Dial("tcp", s.to)
	if err == nil {
		s.conns[in], s.conns[out] = true, true
	}
	s.mu.Unlock()
	if err != nil {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() { // until either side closes
			_, _ = io.Copy(way[0], way[1])
			_, _ = in.Close(), out.Close()
		})
	}
	both.Wait()
}
