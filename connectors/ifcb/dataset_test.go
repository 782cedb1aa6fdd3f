package ifcb_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	source "github.com/axiom-data-science/hydraulics/connectors/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/test/drawn"
)

// observatory serves several datasets of bins below one root, as one dashboard.
type observatory struct {
	url        string
	generation int
	sets       map[string]*bins

	mu       sync.Mutex
	names    []string          // those that it has now
	ifcbs    map[string]string // the instrument of each
	handlers map[string]http.Handler
}

func newObservatory(t *testing.T, generation int, names ...string) *observatory {
	t.Helper()
	o := &observatory{generation: generation, sets: map[string]*bins{}, ifcbs: map[string]string{}, handlers: map[string]http.Handler{}}
	for _, name := range names {
		o.add(t, name)
	}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

// add gives it one more dataset, with an instrument of its own.
func (o *observatory) add(t *testing.T, name string) {
	t.Helper()
	b, number := &bins{dir: t.TempDir()}, 901+len(o.sets)
	b.instrument = drawn.NewInstrument(b.dir, number, 3)
	handler, err := dashboard.New(dashboard.Options{Dir: b.dir, Generation: o.generation, Dataset: name})
	if err != nil {
		t.Fatal(err)
	}
	o.sets[name] = b
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names, o.ifcbs[name], o.handlers[name] = append(o.names, name), fmt.Sprintf("IFCB%d", number), handler
}

// drop takes a dataset from it.
func (o *observatory) drop(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names = slices.DeleteFunc(o.names, func(n string) bool { return n == name })
}

func (o *observatory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	names := slices.Clone(o.names)
	o.mu.Unlock()
	if r.URL.Path == "/api/list_datasets" && o.generation == 2 {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"datasets": ["%s"]}`, strings.Join(names, `", "`))
		return
	}
	asked := r.URL.Path + "?" + r.URL.RawQuery
	for _, name := range names {
		if strings.Contains(asked, "/"+name) || strings.Contains(asked, "dataset="+name) || strings.Contains(asked, o.ifcbs[name]) {
			o.handlers[name].ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

func (o *observatory) props(more ...string) connector.Props {
	b := &bins{url: o.url}
	return b.props(append([]string{"dashboard.url", o.url}, more...)...)
}

// tasks are the configurations that a connector with these gets.
func tasks(t *testing.T, props connector.Props, most int) ([]connector.Props, error) {
	t.Helper()
	s := new(source.Source)
	return s.TaskConfigs(t.Context(), connectortest.Context(t), connectortest.Configure(t, s, props), most)
}

func TestSeveralDatasets(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		o := newObservatory(t, generation, "bay", "cape", "dock")
		want := map[string][]string{}
		for name, b := range o.sets {
			want[name] = b.imagesOf(t, reversed(b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z"))...)
		}
		all := "bay,cape,dock"
		if generation == 2 {
			all = "*"
		}
		for most, split := range map[int][]string{1: {"bay,cape,dock"}, 2: {"bay,dock", "cape"}, 9: {"bay", "cape", "dock"}} {
			configs, err := tasks(t, o.props("datasets", all), most)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			got := map[string][]string{}
			for _, config := range configs {
				names = append(names, config["datasets"].(string))
				for _, r := range start(t, config, nil).drain(t) {
					name, _ := r.Value.(*connector.Struct).Get("dataset")
					got[name.(string)] = append(got[name.(string)], r.Key.(string))
				}
			}
			if diff := cmp.Diff(split, names); diff != "" {
				t.Errorf("%d tasks (-want +got):\n%s", most, diff)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d tasks (-want +got):\n%s", most, diff)
			}
		}
	})
}

// With datasets=* the connector is asked again for its tasks, and gives those of the datasets that there are now. One
// that is gone takes nothing from the others, and goes on where it was when it comes back.
func TestDatasetsComeAndGo(t *testing.T) {
	o := newObservatory(t, 2, "bay", "cape")
	first := map[string][]string{}
	for name, b := range o.sets {
		first[name] = b.imagesOf(t, b.take(t, "2024-05-01T10:00:00Z")...)
	}
	props := o.props("datasets", "*", "mode", "follow", "poll.interval.ms", "100", "datasets.interval.ms", "200")
	s := new(source.Source)
	for every, conf := range map[time.Duration]connector.Props{200 * time.Millisecond: props,
		0: o.props("datasets", "bay,cape", "mode", "follow")} {
		if got := s.ResplitEvery(connectortest.Configure(t, s, conf)); got != every {
			t.Errorf("%v: asked every %v, want %v", conf["datasets"], got, every)
		}
	}
	if got := s.ResplitEvery(connectortest.Configure(t, s, o.props("datasets", "*"))); got != 0 {
		t.Errorf("mode=once is asked again every %v", got)
	}
	offsets := new(connectortest.Offsets)
	expect := func(when string, want map[string][]string) {
		t.Helper()
		configs, err := tasks(t, props, 9)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]string{}
		for _, config := range configs {
			name := config["datasets"].(string)
			s := start(t, config, offsets)
			records, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == len(want[name]) })
			if err != nil {
				t.Fatal(err)
			}
			if got[name] = keys(records); len(records) > 0 {
				if err := offsets.Commit(records[len(records)-1]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	expect("at first", first)
	o.add(t, "atoll")
	b := o.sets["atoll"]
	expect("with another one", map[string][]string{"bay": {}, "cape": {}, "atoll": b.imagesOf(t, b.take(t, "2024-05-01T10:00:00Z")...)})
	o.drop("bay")
	b = o.sets["cape"]
	expect("without bay", map[string][]string{"cape": b.imagesOf(t, b.take(t, "2024-05-01T10:20:00Z")...), "atoll": {}})
	b = o.sets["bay"]
	late := b.imagesOf(t, b.take(t, "2024-05-01T10:20:00Z")...)
	o.mu.Lock()
	o.names = append(o.names, "bay")
	o.mu.Unlock()
	expect("with bay again", map[string][]string{"bay": late, "cape": {}, "atoll": {}})
}

// A connector that is given more datasets goes on with the one it had: offsets are per dataset.
func TestMoreDatasetsKeepTheirOffsets(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		o := newObservatory(t, generation, "bay", "cape")
		for _, b := range o.sets {
			b.take(t, "2024-05-01T10:00:00Z")
		}
		offsets := new(connectortest.Offsets)
		for _, r := range start(t, o.props("dashboard.url", o.url+"/bay/"), offsets).drain(t) {
			if err := offsets.Commit(r); err != nil {
				t.Fatal(err)
			}
		}
		one := o.props("datasets", "bay,cape")
		for _, r := range start(t, one, offsets).drain(t) {
			if name, _ := r.Value.(*connector.Struct).Get("dataset"); name != "cape" {
				t.Errorf("%v comes again", r.Key)
			}
		}
	})
}

// A dataset in trouble does not keep the others from their turn.
func TestDatasetInTrouble(t *testing.T) {
	o := newObservatory(t, 2, "bay", "cape")
	b := o.sets["cape"]
	want := b.imagesOf(t, b.take(t, "2024-05-01T10:00:00Z")...)
	o.sets["bay"].take(t, "2024-05-01T10:00:00Z")
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path+r.URL.RawQuery, "bay") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, r, o.url+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	}))
	t.Cleanup(broken.Close)
	s := start(t, o.props("dashboard.url", broken.URL, "datasets", "bay,cape", "mode", "follow", "poll.interval.ms", "100"), nil)
	records, err := s.until(t, func(all []connector.SourceRecord) bool { return len(all) == len(want) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, keys(records)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestAllDatasetsOfADashboardThatListsNone(t *testing.T) {
	o := newObservatory(t, 1, "bay")
	if _, err := tasks(t, o.props("datasets", "*"), 1); connector.KindOf(err) != connector.KindFatal || !strings.Contains(err.Error(), "name them in datasets") {
		t.Errorf("error %v", err)
	}
}

// However many tasks there are, a host gets as many requests at a time as is configured.
func TestRequestsAtATime(t *testing.T) {
	each(t, func(t *testing.T, generation int) {
		var mu sync.Mutex
		busy, most := 0, 0
		names := []string{"bay", "cape", "dock", "eddy"}
		o := newObservatory(t, generation, names...)
		gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			busy++
			most = max(most, busy)
			mu.Unlock()
			defer func() {
				mu.Lock()
				busy--
				mu.Unlock()
			}()
			answer, err := http.Get(o.url + r.URL.RequestURI())
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			defer answer.Body.Close()
			w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
			w.WriteHeader(answer.StatusCode)
			_, _ = io.Copy(w, answer.Body)
		}))
		t.Cleanup(gate.Close)
		for _, b := range o.sets {
			b.take(t, "2024-05-01T10:00:00Z", "2024-05-01T10:20:00Z", "2024-05-01T10:40:00Z")
		}
		var wait sync.WaitGroup
		images := make([]int, len(names))
		for i, name := range names {
			s := start(t, o.props("dashboard.url", gate.URL, "dataset", name), nil)
			wait.Go(func() {
				for {
					records, err := s.Poll(t.Context())
					images[i] += len(records)
					if err != nil {
						return
					}
				}
			})
		}
		wait.Wait()
		if most > 2 || slices.Min(images) != 9 {
			t.Errorf("%d requests at a time, images %v", most, images)
		}
	})
}
