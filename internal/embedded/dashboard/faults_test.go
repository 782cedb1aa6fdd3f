package dashboard_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

func faulty(t *testing.T, generation int, o dashboard.FaultOptions, faults ...string) site {
	t.Helper()
	for _, text := range faults {
		fault, err := dashboard.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, fault)
	}
	handler, err := dashboard.New(dashboard.Options{Dir: folder(t), Dataset: "pier", Generation: generation})
	if err != nil {
		t.Fatal(err)
	}
	if handler, err = dashboard.WithFaults(handler, o); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return site{t, server.URL}
}

// what is in words what became of a request.
func what(url string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // which would try again after a reset
	answer, err := client.Get(url)
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF):
		return "reset"
	case err != nil:
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	text := fmt.Sprint(answer.StatusCode)
	if after := answer.Header.Get("Retry-After"); after != "" {
		text += " after " + after
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return text + " cut"
	case err != nil:
		return err.Error()
	case answer.StatusCode == http.StatusOK && strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html"):
		return text + " html"
	case answer.StatusCode == http.StatusOK && strings.HasSuffix(url, ".zip"):
		id, _ := ifcb.ParseBinID(strings.TrimSuffix(url, ".zip"))
		if _, err := ifcb.OpenArchive(bytes.NewReader(body), int64(len(body)), id); err != nil {
			return text + " truncated"
		}
	}
	return text
}

func TestFaults(t *testing.T) {
	const page = "/pier/" + plain
	tests := []struct {
		name   string
		faults []string
		want   map[string]string // by path
	}{
		{"none", nil, map[string]string{page + ".zip": "200", page + ".adc": "200"}},
		{"429 says when", []string{"429=1"}, map[string]string{page + ".zip": "429 after 7", page + ".adc": "429 after 7"}},
		{"503 too", []string{"503=1"}, map[string]string{page + ".adc": "503 after 7"}},
		{"500 does not", []string{"500=1"}, map[string]string{page + ".adc": "500"}},
		{"reset", []string{"reset=1"}, map[string]string{page + ".zip": "reset", page + ".adc": "reset"}},
		{"cut", []string{"cut=1"}, map[string]string{page + ".zip": "200 cut", page + ".adc": "200 cut"}},
		{"truncated are zips alone", []string{"truncate=1"}, map[string]string{page + ".zip": "200 truncated", page + ".adc": "200"}},
		{"a page with 200", []string{"html=1"}, map[string]string{page + ".zip": "200 html", page + ".adc": "200 html"}},
		{"by path", []string{"404=1@.adc", "500=1@/pier/D"}, map[string]string{page + ".adc": "404", page + ".hdr": "500", "/pier/" + cut + ".adc": "404", "/pier/" + cut + ".zip": "200"}},
		{"slow, then another", []string{"slow=1", "500=1"}, map[string]string{page + ".adc": "500"}},
	}
	for _, generation := range []int{1, 2} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("generation %d: %s", generation, tt.name), func(t *testing.T) {
				s := faulty(t, generation, dashboard.FaultOptions{RetryAfter: 7 * time.Second, SlowBy: time.Millisecond}, tt.faults...)
				got := map[string]string{}
				for path := range tt.want {
					got[path] = what(s.url + path)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A raw file that is truncated has no length that gives it away.
func TestTruncatedFileLooksWhole(t *testing.T) {
	s := faulty(t, 2, dashboard.FaultOptions{}, "truncate=1@.adc")
	_, _, whole, _ := serve(t, dashboard.Options{Generation: 2}).get("/data/" + plain + ".adc")
	status, kind, part, _ := s.get("/data/" + plain + ".adc")
	if status != http.StatusOK || kind != "text/csv" || len(part) >= len(whole) || !bytes.HasPrefix(whole, part) {
		t.Errorf("%d %s: %d of %d bytes", status, kind, len(part), len(whole))
	}
}

// The same seed gives the same faults to the nth request of each path, in whatever order the paths are asked for.
func TestFaultsRepeat(t *testing.T) {
	const requests = 60
	paths := []string{"/pier/" + plain + ".adc", "/pier/" + plain + ".zip", "/pier/" + cut + ".zip"}
	run := func(seed uint64, together bool) map[string][]string {
		s := faulty(t, 1, dashboard.FaultOptions{Seed: seed}, "429=0.2", "reset=0.1", "truncate=0.2", "html=0.1@.adc")
		all := make([][]string, len(paths))
		var group sync.WaitGroup
		for i, path := range paths {
			ask := func() {
				for range requests {
					all[i] = append(all[i], what(s.url+path))
				}
			}
			if together {
				group.Go(ask)
			} else {
				ask()
			}
		}
		group.Wait()
		got := map[string][]string{}
		for i, path := range paths {
			got[path] = all[i]
		}
		return got
	}
	one := run(5, false)
	if diff := cmp.Diff(one, run(5, true)); diff != "" {
		t.Errorf("the same seed gives something else (-one +other):\n%s", diff)
	}
	if cmp.Equal(one, run(6, false)) {
		t.Error("another seed gives the same")
	}
	counts := map[string]int{}
	for _, answers := range one {
		for _, answer := range answers {
			counts[answer]++
		}
	}
	for _, answer := range []string{"200", "429", "reset", "200 truncated", "200 html"} {
		if counts[answer] == 0 {
			t.Errorf("of %d requests none gave %q: %v", len(paths)*requests, answer, counts)
		}
	}
}

func TestBadFaults(t *testing.T) {
	for text, want := range map[string]string{
		"429": "want KIND=PROBABILITY", "429=often": "want KIND=PROBABILITY", "429=0": "want more than 0", "429=1.5": "at most 1",
		"429=NaN": "want more than 0", "flood=0.5": "there are slow, a status", "200=1": "unknown", "=1": "unknown",
	} {
		if _, err := dashboard.ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := dashboard.WithFaults(http.NotFoundHandler(), dashboard.FaultOptions{Faults: []dashboard.Fault{{Kind: "flood", Probability: 1}}}); err == nil {
		t.Error("an unknown kind is accepted")
	}
}
