package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/connectors/rest"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
	"github.com/axiom-data-science/hydraulics/internal/test/bench/stats"
)

// restBatch is how many records a request has, restPut how many of them a Put.
const restBatch, restPut = 100, 4

// restLane is one way to send all records to a service on some connections: with the
// sink, or else the floor, net/http's client alone with bodies that were made before.
type restLane struct {
	sink        bool
	text        bool // values are text that is JSON already, lines of which are a body
	connections int
}

var restLanes = []restLane{{false, true, 1}, {true, true, 1}, {true, false, 1}, {false, true, 4}, {true, true, 4}, {true, false, 4}}

// BenchmarkDataREST measures how records reach a web service in requests of 100,
// beside net/http's client with the same bodies on as many connections. All lanes take
// turns; the service is in the same process and throws bodies away.
func BenchmarkDataREST(b *testing.B) {
	rows, rounds := number(b, rowsVariable, 500_000)/(restBatch*restPut)*restBatch*restPut, number(b, roundsVariable, 3)
	var taken, requests atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		taken.Add(n)
		requests.Add(1)
	}))
	defer service.Close()
	records := restRecords()
	texts, bodies := restTexts(b, records)
	costs := make([][]restCost, len(restLanes))
	for range rounds {
		for i, lane := range restLanes {
			taken.Store(0)
			requests.Store(0)
			size := int64(0)
			for i := range rows / restBatch {
				size += int64(len(bodies[i%len(bodies)]))
			}
			costs[i] = append(costs[i], restTime(b, func() {
				switch {
				case !lane.sink:
					restFloor(b, service.URL, bodies, rows/restBatch, lane.connections)
				case lane.text:
					restSink(b, service.URL, "raw", texts, rows, lane.connections)
				default:
					restSink(b, service.URL, "ndjson", records, rows, lane.connections)
				}
			}))
			if taken.Load() != size || requests.Load() != int64(rows/restBatch) {
				b.Fatalf("%v: %d requests with %d bytes, want %d with %d", lane, requests.Load(), taken.Load(), rows/restBatch, size)
			}
		}
	}
	restReport(b, rows, costs)
}

// restRecords makes so few records that the garbage collector, which has to look at all
// of them, has no more to do than in a worker. They are sent again and again.
func restRecords() []connector.Record {
	records := make([]connector.Record, 20*restBatch*restPut)
	for i := range records {
		records[i] = connector.NewRecord("stats", connector.StringSchema, strconv.Itoa(i), stats.Schema, stats.Value(i))
		records[i].Origin = connector.Origin{Topic: "stats", Offset: int64(i)}
	}
	return records
}

// restTexts gives records with the JSON of others as values, and the bodies that the
// sink sends of both: lines.
func restTexts(b *testing.B, records []connector.Record) (texts []connector.Record, bodies [][]byte) {
	texts = slices.Clone(records)
	for batch := range slices.Chunk(texts, restBatch) {
		var body []byte
		for i, r := range batch {
			line, err := plainjson.Append(nil, r.ValueSchema, r.Value)
			check(b, err)
			batch[i].ValueSchema, batch[i].Value = connector.StringSchema, string(line)
			body = append(append(body, line...), '\n')
		}
		bodies = append(bodies, body)
	}
	return texts, bodies
}

// restCost is what a pass took, of the service too.
type restCost struct {
	wall, cpu time.Duration
	allocs    uint64
}

// restTime gives the cost of a pass.
func restTime(b *testing.B, pass func()) restCost {
	var before, after goruntime.MemStats
	goruntime.GC() // what the pass before left is not this one's
	goruntime.ReadMemStats(&before)
	used, began := processTime(b), time.Now()
	pass()
	cost := restCost{wall: time.Since(began), cpu: processTime(b) - used}
	goruntime.ReadMemStats(&after)
	cost.allocs = after.Mallocs - before.Mallocs
	return cost
}

// restFloor makes n requests on some connections.
func restFloor(b *testing.B, url string, bodies [][]byte, n, connections int) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				answer, err := client.Post(url, "application/json", bytes.NewReader(bodies[i%len(bodies)]))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
		})
	}
	wg.Wait()
}

// restSink puts rows, as many at once as the sink asks for.
func restSink(b *testing.B, url, format string, records []connector.Record, rows, connections int) {
	s := new(rest.Sink)
	props := connector.Props{"url": url, "format": format, "batch.size": strconv.Itoa(restBatch), "max.in.flight.requests": strconv.Itoa(connections)}
	check(b, s.Start(b.Context(), connectortest.Context(b), connectortest.Configure(b, s, props)))
	defer func() { check(b, s.Stop()) }()
	for i := 0; i < rows; i += restBatch * restPut {
		from := i % len(records)
		check(b, s.Put(b.Context(), records[from:from+restBatch*restPut]))
	}
}

// restReport prints the median of each lane, its rate beside that of the floor before
// it, how far its own passes differ, and what a record takes.
func restReport(b *testing.B, rows int, costs [][]restCost) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%d records\trecords/s\tof the floor\tslowest/fastest\tCPU us/record\tthe floor's of it\tallocs/record\t\n", rows)
	var floor, floorCPU float64
	for i, lane := range restLanes {
		passes := costs[i]
		slices.SortFunc(passes, func(x, y restCost) int { return cmp.Compare(x.cpu, y.cpu) })
		cpu, allocs := passes[len(passes)/2].cpu.Seconds()*1e6/float64(rows), float64(passes[len(passes)/2].allocs)/float64(rows)
		slices.SortFunc(passes, func(x, y restCost) int { return cmp.Compare(x.wall, y.wall) })
		rate := float64(rows) / passes[len(passes)/2].wall.Seconds()
		name := "sink, structs"
		switch {
		case !lane.sink:
			name, floor, floorCPU = "floor: net/http", rate, cpu
		case lane.text:
			name = "sink, text"
		}
		fmt.Fprintf(w, "%s, connections: %d\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name, lane.connections, rate, rate/floor,
			passes[len(passes)-1].wall.Seconds()/passes[0].wall.Seconds(), cpu, floorCPU/cpu, allocs)
	}
	check(b, w.Flush())
}
