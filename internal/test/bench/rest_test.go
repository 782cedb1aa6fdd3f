package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
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
	"github.com/axiom-data-science/hydraulics/transforms/ifcbstats"
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
	records := restRecords(rows)
	texts, bodies, size := restTexts(b, records)
	costs := make([][]time.Duration, len(restLanes))
	for range rounds {
		for i, lane := range restLanes {
			taken.Store(0)
			requests.Store(0)
			switch {
			case !lane.sink:
				costs[i] = append(costs[i], restFloor(b, service.URL, bodies, lane.connections))
			case lane.text:
				costs[i] = append(costs[i], restSink(b, service.URL, "raw", texts, lane.connections))
			default:
				costs[i] = append(costs[i], restSink(b, service.URL, "ndjson", records, lane.connections))
			}
			if taken.Load() != size || requests.Load() != int64(len(bodies)) {
				b.Fatalf("%v: %d requests with %d bytes, want %d with %d", lane, requests.Load(), taken.Load(), len(bodies), size)
			}
		}
	}
	restReport(b, rows, costs)
}

func restRecords(rows int) []connector.Record {
	records := make([]connector.Record, rows)
	for i := range records {
		value := connector.NewStruct(ifcbstats.ValueSchema)
		value.Set("ifcb_id", "IFCB104").Set("name", "Alexandrium_catenella").Set("classifier", "ifcb-2026:3").Set("classification_time", int32(1764349199))
		value.Set("time", int32(1564349199+i/500)).Set("roi", int32(i%500)).Set("prob", float32(i%997)/997).
			Set("biovolume", float32(i)*1.37).Set("carbon", float32(i)*0.017).Set("hab", i%7 == 0)
		records[i] = connector.NewRecord("stats", connector.StringSchema, strconv.Itoa(i), ifcbstats.ValueSchema, value)
		records[i].Origin = connector.Origin{Topic: "stats", Offset: int64(i)}
	}
	return records
}

// restTexts gives records with the JSON of others as values, and the bodies that the
// sink sends of both: lines.
func restTexts(b *testing.B, records []connector.Record) (texts []connector.Record, bodies [][]byte, size int64) {
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
		size += int64(len(body))
	}
	return texts, bodies, size
}

// restFloor sends bodies on some connections.
func restFloor(b *testing.B, url string, bodies [][]byte, connections int) time.Duration {
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range connections {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bodies)); i = next.Add(1) - 1 {
				answer, err := client.Post(url, "application/json", bytes.NewReader(bodies[i]))
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
	return time.Since(began)
}

// restSink puts records, as many at once as the sink asks for.
func restSink(b *testing.B, url, format string, records []connector.Record, connections int) time.Duration {
	s := new(rest.Sink)
	props := connector.Props{"url": url, "format": format, "batch.size": strconv.Itoa(restBatch), "max.in.flight.requests": strconv.Itoa(connections)}
	check(b, s.Start(b.Context(), connectortest.Context(b), connectortest.Configure(b, s, props)))
	defer func() { check(b, s.Stop()) }()
	began := time.Now()
	for put := range slices.Chunk(records, restBatch*restPut) {
		check(b, s.Put(b.Context(), put))
	}
	return time.Since(began)
}

// restReport prints the median of each lane, its rate beside that of the floor before
// it, and how far its own passes differ.
func restReport(b *testing.B, rows int, costs [][]time.Duration) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%d records\trecords/s\tof the floor\tslowest/fastest\t\n", rows)
	var floor time.Duration
	for i, lane := range restLanes {
		slices.SortFunc(costs[i], cmp.Compare)
		median := costs[i][len(costs[i])/2]
		name := "sink, structs"
		switch {
		case !lane.sink:
			name, floor = "floor: net/http", median
		case lane.text:
			name = "sink, text"
		}
		fmt.Fprintf(w, "%s, connections: %d\t%.0f\t%.2f\t%.2f\t\n", name, lane.connections, float64(rows)/median.Seconds(), floor.Seconds()/median.Seconds(),
			costs[i][len(costs[i])-1].Seconds()/costs[i][0].Seconds())
	}
	check(b, w.Flush())
}
