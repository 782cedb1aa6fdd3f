package ifcb_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/drawn"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

const dataset = "pier"

// generations are the subtests of everything that both generations must do.
var generations = []int{1, 2}

// bins is a folder of bins and the dashboard that serves it.
type bins struct {
	dir        string
	instrument *drawn.Instrument
	url        string
	handler    http.Handler // the dashboard itself, behind front
}

// newBins makes an empty folder and a dashboard. front may answer requests in the dashboard's place: it returns true
// then.
func newBins(t *testing.T, o dashboard.Options, front func(http.ResponseWriter, *http.Request) bool) *bins {
	t.Helper()
	b := &bins{dir: t.TempDir()}
	b.instrument = drawn.NewInstrument(b.dir, 901, 3)
	o.Dir, o.Dataset = b.dir, dataset
	handler, err := dashboard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if front == nil || !front(w, r) {
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	b.url, b.handler = server.URL, handler
	return b
}

// take adds synthetic bins of these times.
func (b *bins) take(t *testing.T, times ...string) []ifcb.BinID {
	t.Helper()
	var ids []ifcb.BinID
	for _, text := range times {
		at, err := ifcb.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, b.instrument.Take(t, at))
	}
	return ids
}

func (b *bins) file(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// remove takes a bin's file away.
func (b *bins) remove(t *testing.T, id ifcb.BinID, ext string) {
	t.Helper()
	if err := os.Remove(filepath.Join(b.dir, id.Day(), id.String()+ext)); err != nil {
		t.Fatal(err)
	}
}

// removeFlat takes away a file that lies in the folder itself.
func (b *bins) removeFlat(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(b.dir, name)); err != nil {
		t.Fatal(err)
	}
}

// addOld adds a bin of an old instrument with a cut particle: targets 2 and 3 belong together.
func (b *bins) addOld(t *testing.T) {
	t.Helper()
	b.file(t, "IFCB5_2012_028_081515.adc",
		"1,.3,.1,.1,.1,.1,.1,0,.2,10,20,8,4,1,-.2,\n"+
			"2,.4,.1,.1,.1,.1,.1,.3,.35,100,50,16,8,33,-.2,\n"+
			"2,.4,.1,.1,.1,.1,.1,.3,.35,110,53,16,8,161,-.2,\n")
	b.file(t, "IFCB5_2012_028_081515.roi", strings.Repeat("\xc8", 400))
	b.file(t, "IFCB5_2012_028_081515.hdr", "\"Temp Humidity\"\n\" 11.4\",\" 32.1\"\n")
}

func (b *bins) props(more ...string) connector.Props {
	p := connector.Props{"topic": "images", "dashboard.url": b.url + "/" + dataset + "/", "mode": "once", "bin.attempts": "2", "bin.retry.interval.ms": "0", "bins.topic": ""}
	for i := 0; i < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

// run is a source under test.
type run struct {
	*source.Source
	metrics *connectortest.Metrics
}

func start(t *testing.T, props connector.Props, offsets *connectortest.Offsets) run {
	t.Helper()
	s, metrics := new(source.Source), new(connectortest.Metrics)
	c := connectortest.Context(t)
	c.Metrics = metrics
	if offsets != nil {
		c.Offsets = offsets
	}
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return run{s, metrics}
}

// drain polls until the source is done; retriable errors are tried again.
func (r run) drain(t *testing.T) []connector.SourceRecord {
	t.Helper()
	records, err := r.until(t, func([]connector.SourceRecord) bool { return false })
	if !errors.Is(err, connector.ErrDone) {
		t.Fatalf("the source ends with %v", err)
	}
	return records
}

// until polls until enough says so or an error is not retriable.
func (r run) until(t *testing.T, enough func([]connector.SourceRecord) bool) ([]connector.SourceRecord, error) {
	t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	var all []connector.SourceRecord
	for !enough(all) {
		records, err := r.Poll(ctx)
		all = append(all, records...)
		if err != nil && connector.KindOf(err) != connector.KindRetriable {
			return all, err
		}
		if ctx.Err() != nil {
			t.Fatalf("still %v", keys(all))
		}
	}
	return all, nil
}

func keys(records []connector.SourceRecord) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, r.Key.(string))
	}
	return out
}

// imagesOf are the keys of all images of bins, in this order.
func (b *bins) imagesOf(t *testing.T, ids ...ifcb.BinID) []string {
	t.Helper()
	out := []string{}
	for _, id := range ids {
		path := filepath.Join(b.dir, id.Day(), id.String()+".adc")
		if id.Schema() == ifcb.SchemaV1 {
			path = filepath.Join(b.dir, id.String()+".adc")
		}
		bin, err := ifcb.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, roi := range bin.Served() {
			out = append(out, id.Target(roi.Number).String())
		}
		bin.Close()
	}
	return out
}

func each(t *testing.T, test func(t *testing.T, generation int)) {
	for _, generation := range generations {
		t.Run(fmt.Sprintf("generation %d", generation), func(t *testing.T) { test(t, generation) })
	}
}
