// Command connect measures hydraulics beside Java's Kafka Connect on the same
// broker in the same run. `make bench-connect` starts the broker and runs it, `make
// bench-cluster` does so for workers of a cluster, and `make bench-data` for sinks that
// write to a database (data.go). `make bench-many` measures what many idle connectors
// take of hydraulics alone (many.go).
//
// In every round each lane is taken by hydraulics, by its peers, and by hydraulics
// again: the ratio of the two runs of hydraulics shows what is noise. Ratios are
// made within a round; shown are their median, lowest and highest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/test/bench/loop"
)

// bench is what all lanes share.
type bench struct {
	broker    string
	binary    string // hydraulics
	classpath string // of Java's worker
	plugins   string // the folder of its plugins
	registry  string // of schemas
	database  string // its URL
	dir       string
	lines     int
	rows      int
	topics    *topics
}

func main() {
	log.SetFlags(0)
	if is, err := loop.Be(); is {
		log.Fatal(err) // it goes on until it is ended
	}
	var b bench
	flag.StringVar(&b.binary, "hydraulics", "bin/hydraulics", "the program that is measured")
	flag.IntVar(&b.lines, "lines", 2_000_000, "records of 100 bytes, a fifth as many of 1 KB")
	flag.IntVar(&b.rows, "rows", 500_000, "rows of a database")
	rounds := flag.Int("rounds", 3, "rounds")
	only := flag.String("lanes", "", "a regular expression for the names of lanes")
	many := flag.Bool("many", false, "what many idle connectors take of a worker, in place of lanes; without a broker in the environment on one of its own")
	rest := flag.Duration("rest", 150*time.Second, "how long many connectors have rest before they are measured: by then the garbage collector has run by itself")
	clusters := flag.Bool("clusters", false, "lanes of clusters, in place of those of single workers")
	data := flag.Bool("data", false, "lanes of sinks to a database, which HYDRAULICS_POSTGRES_URL names and whose table t is dropped, in place of those")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	lanes := b.lanes
	if *clusters {
		lanes = b.clusterLanes
	} else if *data {
		lanes = b.dataLanes
	}
	run := func() error { return b.run(ctx, *rounds, *only, lanes) }
	if *many {
		run = func() error { return b.crowded(ctx, *only, *rest) }
	}
	if err := run(); err != nil {
		stop()
		log.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context, rounds int, only string, lanes func() []lane) (err error) {
	for name, to := range map[string]*string{
		"HYDRAULICS_KAFKA_BOOTSTRAP": &b.broker, "HYDRAULICS_CONNECT_CLASSPATH": &b.classpath, "HYDRAULICS_CONNECT_PLUGINS": &b.plugins,
	} {
		if *to = os.Getenv(name); *to == "" {
			return fmt.Errorf("%s is not set: make bench-connect starts what it names", name)
		}
	}
	chosen, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	shut, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shut()) }()
	for _, l := range lanes() {
		if !chosen.MatchString(l.name) {
			continue
		}
		if l.prepare != nil {
			if err := l.prepare(ctx); err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
		}
		t := newTable(l)
		for round := range rounds {
			for i, s := range t.sides {
				c, err := l.take(ctx, s)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", l.name, s.name, err)
				}
				log.Printf("round %d: %s: %s: %s", round+1, l.name, s.name, c)
				t.costs[i] = append(t.costs[i], c)
			}
		}
		t.print(os.Stdout)
	}
	return nil
}

// open makes what all measurements need. What it gives removes it.
func (b *bench) open(ctx context.Context) (shut func() error, err error) {
	if b.dir, err = os.MkdirTemp("", "bench-connect-"); err != nil {
		return nil, err
	}
	remove := func() error { return os.RemoveAll(b.dir) }
	schemas, err := registryd.Start(ctx, new(registryd.MemoryLog), registryd.Options{})
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	b.registry = schemas.URL()
	if b.topics, err = openTopics(ctx, b.broker); err != nil {
		schemas.Stop()
		return nil, errors.Join(err, remove())
	}
	return func() error {
		b.topics.close()
		schemas.Stop()
		return remove()
	}, nil
}
