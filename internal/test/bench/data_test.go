package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/procfs"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/converter/avro"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/bench/stats"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/registrytest"
	"github.com/axiom-data-science/hydraulics/runtime"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// dataVariable tells a process that it is the worker of a lane of data: the
// broker, the registry, the database, tasks, rows and batch.size, with spaces
// between. rowsVariable and roundsVariable say how much is measured, lanesVariable
// which lanes, a regular expression.
const (
	dataVariable   = "HYDRAULICS_BENCH_DATA"
	rowsVariable   = "DATA_ROWS"
	roundsVariable = "DATA_ROUNDS"
	lanesVariable  = "DATA_LANES"
)

const dataYAML = `
    connector.class: postgres
    topics: stats
    key.converter: string
    connection.url: DATABASE
    table.name.format: t
    insert.mode: upsert
    pk.mode: record_value
    pk.fields: time,ifcb_id,roi
`

// dataSource makes a table of the rows, which the floor is given.
const dataSource = `CREATE TABLE source AS SELECT 1564349199 + i / 500 AS time, 'IFCB104'::varchar(7) AS ifcb_id, i %% 500 AS roi, 'Alexandrium_catenella'::varchar AS name,
	'ifcb-2026:3'::varchar AS classifier, (i %% 997)::real / 997::float AS prob, 1764349199 AS classification_time, i::real * 1.37 AS biovolume, i::real * 0.017 AS carbon,
	i %% 7 = 0 AS hab FROM generate_series(0, %d) i`

// dataLane is one way to bring all rows into the table: worker, or else the floor,
// with which a database's own tools do it, on as many connections as there are tasks.
type dataLane struct {
	name   string
	worker bool
	full   bool // the table holds all keys already
	tasks  int
	batch  int
	delay  time.Duration // of what goes to the database and comes back, together
}

var dataLanes = []dataLane{
	{name: "floor: COPY, INSERT ON CONFLICT", tasks: 1},
	{name: "the same on 4 connections", tasks: 4},
	{name: "upsert, defaults", worker: true, tasks: 1, batch: 3000},
	{name: "batch.size 5000", worker: true, tasks: 1, batch: 5000},
	{name: "2 tasks", worker: true, tasks: 2, batch: 3000},
	{name: "4 tasks", worker: true, tasks: 4, batch: 3000},
	{name: "8 tasks", worker: true, tasks: 8, batch: 3000},
	{name: "round trip of 2.5 ms", worker: true, tasks: 1, batch: 3000, delay: 2500 * time.Microsecond},
	{name: "round trip of 12 ms", worker: true, tasks: 1, batch: 3000, delay: 12 * time.Millisecond},
	{name: "floor over the full table", full: true, tasks: 1},
	{name: "upsert over the full table", worker: true, full: true, tasks: 1, batch: 3000},
}

// dataCost is what one pass took.
type dataCost struct {
	wall, worker, server time.Duration // the last two of the processor
	allocs, bytes        float64       // of each row
	peak                 uint64        // the worker's memory, bytes
}

// dataReport is how the worker's process says what it took.
const dataReport = "data: %d ns, %f allocations, %f bytes, %d at most\n"

// BenchmarkData measures how Avro records reach a table, beside the database's
// own way there: COPY into a temporary table and INSERT ... ON CONFLICT. All lanes
// take turns, so that each meets the same machine. The worker is a process of its
// own, the broker is not; the floor's text is made before.
func BenchmarkData(b *testing.B) {
	if places := os.Getenv(dataVariable); places != "" {
		beData(b, strings.Fields(places))
		return
	}
	rows, rounds := number(b, rowsVariable, 500_000), number(b, roundsVariable, 3)
	d := newData(b, rows)
	chosen, err := regexp.Compile(os.Getenv(lanesVariable))
	check(b, err)
	lanes := slices.DeleteFunc(slices.Clone(dataLanes), func(l dataLane) bool { return l.worker && !chosen.MatchString(l.name) }) // floors are what others are shares of
	costs := make([][]dataCost, len(lanes))
	for range rounds {
		for i, lane := range lanes {
			costs[i] = append(costs[i], d.pass(lane))
		}
	}
	d.report(lanes, costs)
}

func number(b *testing.B, variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	check(b, err)
	return n
}

// data is a topic and a database with the same rows.
type data struct {
	b        *testing.B
	rows     int
	broker   string
	registry string
	database string
	text     string // for COPY
}

func newData(b *testing.B, rows int) *data {
	d := &data{b: b, rows: rows, broker: kafkatest.Start(b), registry: registrytest.URL(b), database: pgtest.URL(b)}
	d.sql(stats.Table + "; " + fmt.Sprintf(dataSource, rows-1))
	conn := d.connect()
	var text strings.Builder
	_, err := conn.PgConn().CopyTo(b.Context(), &text, "COPY source TO STDOUT")
	check(b, err)
	check(b, conn.Close(b.Context()))
	d.text = text.String()
	d.fill()
	return d
}

func (d *data) connect() *pgx.Conn {
	conn, err := pgx.Connect(d.b.Context(), d.database)
	check(d.b, err)
	return conn
}

func (d *data) sql(statements string) {
	conn := d.connect()
	_, err := conn.Exec(d.b.Context(), statements, pgx.QueryExecModeSimpleProtocol)
	check(d.b, err)
	check(d.b, conn.Close(d.b.Context()))
}

// fill writes the rows to the topic, on eight partitions.
func (d *data) fill() {
	conv := registrytest.Configure(d.b, new(avro.Converter), d.registry, nil)
	client, err := kafka.Open(d.b.Context(), kafka.Options{Bootstrap: strings.Split(d.broker, ",")})
	check(d.b, err)
	d.b.Cleanup(client.Close)
	check(d.b, client.CreateTopic(d.b.Context(), kafka.TopicSpec{Name: "stats", Partitions: 8, Replication: 1}))
	producer, err := client.NewProducer(kafka.ProducerOptions{})
	check(d.b, err)
	for i := range d.rows {
		bytes, err := conv.FromConnect(d.b.Context(), "stats", stats.Schema, stats.Value(i))
		check(d.b, err)
		check(d.b, producer.Send(d.b.Context(), kafka.Message{Topic: "stats", Partition: int32(i / 500 % 8), Value: bytes}, func(_ connector.RecordMetadata, err error) {
			if err != nil {
				d.b.Error(err)
			}
		}))
	}
	check(d.b, producer.Flush(d.b.Context()))
	check(d.b, producer.Close())
}

// pass brings all rows into the table on one lane.
func (d *data) pass(lane dataLane) dataCost {
	statements := "TRUNCATE t"
	if lane.full {
		statements += "; INSERT INTO t SELECT * FROM source"
	}
	d.sql(statements + "; CHECKPOINT")
	before := d.server()
	var cost dataCost
	if lane.worker {
		cost = d.work(lane)
	} else {
		began := time.Now()
		d.floor(lane.tasks)
		cost.wall = time.Since(began)
	}
	cost.server = d.server() - before
	conn := d.connect()
	var count int
	check(d.b, conn.QueryRow(d.b.Context(), "SELECT count(*) FROM t").Scan(&count))
	check(d.b, conn.Close(d.b.Context()))
	if count != d.rows {
		d.b.Fatalf("%s: %d rows of %d", lane.name, count, d.rows)
	}
	return cost
}

// floor does it as psql would, on each connection with its part of the rows.
func (d *data) floor(connections int) {
	lines := slices.Collect(strings.Lines(d.text))
	errs := make([]error, connections)
	var all sync.WaitGroup
	part := (len(lines) + connections - 1) / connections
	for i := range connections {
		text := strings.Join(lines[i*part:min((i+1)*part, len(lines))], "")
		all.Go(func() { errs[i] = d.copy(text) })
	}
	all.Wait()
	check(d.b, errors.Join(errs...))
}

// copy brings rows into the table in one transaction.
func (d *data) copy(text string) error {
	ctx := d.b.Context()
	conn, err := pgx.Connect(ctx, d.database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "CREATE TEMPORARY TABLE s (LIKE t) ON COMMIT DROP"); err != nil {
		return err
	}
	if _, err := conn.PgConn().CopyFrom(ctx, strings.NewReader(text), "COPY s FROM STDIN"); err != nil {
		return err
	}
	var sets []string
	for _, c := range []string{"name", "classifier", "prob", "classification_time", "biovolume", "carbon", "hab"} {
		sets = append(sets, c+" = EXCLUDED."+c)
	}
	if _, err := tx.Exec(ctx, "INSERT INTO t SELECT * FROM s ON CONFLICT (time, ifcb_id, roi) DO UPDATE SET "+strings.Join(sets, ", ")); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// server gives the processor time of all the server's processes, those that have
// ended too; nothing where the system does not say.
func (d *data) server() time.Duration {
	conn := d.connect()
	var file string
	check(d.b, conn.QueryRow(d.b.Context(), "SELECT pg_read_file('postmaster.pid')").Scan(&file))
	check(d.b, conn.Close(d.b.Context()))
	master, _, _ := strings.Cut(file, "\n")
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	check(d.b, err)
	ticks := 0
	for _, name := range files {
		stat, err := os.ReadFile(name)
		if err != nil { // ended meanwhile
			continue
		}
		// proc(5): state, parent, ... times of its own, of children that have ended.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		times := fields[11:13]
		if name == "/proc/"+master+"/stat" {
			times = fields[11:15]
		} else if fields[1] != master {
			continue
		}
		for _, t := range times {
			n, err := strconv.Atoi(t)
			check(d.b, err)
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// work has a worker do it, in a process of its own.
func (d *data) work(lane dataLane) dataCost {
	database := d.database
	if lane.delay > 0 {
		database = delayed(d.b, database, lane.delay)
	}
	cmd := workerCommand("Data", lane.name, fmt.Sprintf("%s=%s %s %s %d %d %d", dataVariable, d.broker, d.registry, database, lane.tasks, d.rows, lane.batch))
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.b.Fatalf("%s: %v\n%s", lane.name, err, out)
	}
	cost := dataCost{worker: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	for line := range strings.Lines(string(out)) {
		if n, _ := fmt.Sscanf(line, dataReport, &cost.wall, &cost.allocs, &cost.bytes, &cost.peak); n == 4 {
			return cost
		}
	}
	d.b.Fatalf("%s does not say what it took:\n%s", lane.name, out)
	return cost
}

// beData is the worker's process.
func beData(b *testing.B, places []string) {
	f := &flow{b: b, broker: places[0], registry: places[1]}
	var counts [3]int
	for i := range counts {
		n, err := strconv.Atoi(places[3+i])
		check(b, err)
		counts[i] = n
	}
	tasks, rows, batch := counts[0], counts[1], counts[2]
	f.startWorker()
	yaml := strings.ReplaceAll(dataYAML, "DATABASE", places[2])
	if batch != 3000 {
		yaml += fmt.Sprintf("    batch.size: %d\n", batch)
	}
	spec := f.spec(runtime.KindSink, yaml)
	spec.Connector = fmt.Sprint(spec.Connector, "-", os.Getpid())
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	var running []*runtime.Task
	for i := range tasks {
		spec.Task = i
		task, err := f.worker.StartTask(spec, func(e runtime.Event) {
			if e.Err != nil {
				b.Error(e.Err)
			}
		})
		check(b, err)
		running = append(running, task)
	}
	began := f.await(running, func(s runtime.Stats) int64 { return s.RecordsIn }, 1)
	ended := f.await(running, func(s runtime.Stats) int64 { return s.RecordsOut }, int64(rows))
	for _, task := range running {
		check(b, task.Stop(context.WithoutCancel(b.Context())))
	}
	goruntime.ReadMemStats(&after)
	self, err := procfs.Self()
	check(b, err)
	status, err := self.NewStatus()
	check(b, err)
	fmt.Printf("\n"+dataReport, ended.Sub(began), float64(after.Mallocs-before.Mallocs)/float64(rows), float64(after.TotalAlloc-before.TotalAlloc)/float64(rows), status.VmHWM)
}

// report prints the median of each lane, its rate beside that of the floor before
// it, and how far its own passes differ.
func (d *data) report(lanes []dataLane, costs [][]dataCost) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%d rows\trows/s\tof the floor\tslowest/fastest\tworker, CPU s\tMB\tserver, CPU s\tallocs/row\tB/row\t\n", d.rows)
	var floor time.Duration
	for i, lane := range lanes {
		slices.SortFunc(costs[i], func(x, y dataCost) int { return cmp.Compare(x.wall, y.wall) })
		passes := costs[i]
		median := passes[len(passes)/2]
		if !lane.worker && lane.tasks == 1 {
			floor = median.wall
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t%.2f\t%d\t%.2f\t%.1f\t%.0f\t\n", lane.name, float64(d.rows)/median.wall.Seconds(), floor.Seconds()/median.wall.Seconds(),
			passes[len(passes)-1].wall.Seconds()/passes[0].wall.Seconds(), median.worker.Seconds(), median.peak/1_000_000, median.server.Seconds(), median.allocs, median.bytes)
	}
	check(d.b, w.Flush())
}
