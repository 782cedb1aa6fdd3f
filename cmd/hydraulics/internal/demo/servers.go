package demo

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/web"
	"github.com/axiom-data-science/hydraulics/configs/schemas"
	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
)

// demo is a running demo. stop ends everything that was started.
type demo struct {
	o   Options
	dir string
	out io.Writer
	log *slog.Logger
	at  endpoints
	// entry is the URL of the page with a ticket.
	entry string
	undo  []func() // in the order of starting

	broker   *broker.Broker
	database string // the database's URL without user and password
	password string // as the configuration has it
	worker   *cli.Worker
}

// stop stops what was started, the last one first.
func (d *demo) stop() {
	for _, f := range slices.Backward(d.undo) {
		f()
	}
}

// The ports that the demo prefers.
const (
	kafkaPort     = 9092
	registryPort  = 8081
	postgresPort  = 5441
	connectPort   = 8083
	apiPort       = 3000
	pagePort      = 6066
	dashboardPort = 8888
)

// portsTried is how far from the preferred port the demo looks for a free one.
const portsTried = 100

// listen listens on the preferred port, or on the next free one when that is busy, and says so.
func (d *demo) listen(what string, preferred int) (l net.Listener, err error) {
	for port := preferred; port < preferred+portsTried; port++ {
		if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err != nil {
			continue
		}
		if port != preferred {
			fmt.Fprintf(d.out, "%s: port %d is busy, taking %d\n", what, preferred, port)
		}
		return l, nil
	}
	return nil, err
}

// port finds such a port for a server that listens by itself.
func (d *demo) port(what string, preferred int) (int, error) {
	l, err := d.listen(what, preferred)
	if err != nil {
		return 0, err
	}
	return portOf(l), l.Close()
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func (d *demo) startBroker(context.Context) error {
	port, err := d.port("Kafka", kafkaPort)
	if err != nil {
		return err
	}
	if d.broker, err = broker.Start(broker.Options{Dir: filepath.Join(d.dir, "kafka"), Port: port, Log: d.log}); err != nil {
		return err
	}
	d.undo = append(d.undo, d.broker.Stop)
	d.at.Kafka = d.broker.Addr()
	return nil
}

// startRegistry starts the registry over a topic of the broker, with the schemas
// of the statistics in it.
func (d *demo) startRegistry(ctx context.Context) error {
	log, err := d.broker.OpenLog(ctx, "_schemas")
	if err != nil {
		return err
	}
	d.undo = append(d.undo, log.Close)
	port, err := d.port("registry", registryPort)
	if err != nil {
		return err
	}
	server, err := registryd.Start(ctx, log, registryd.Options{Addr: "127.0.0.1:" + strconv.Itoa(port), Log: d.log})
	if err != nil {
		return err
	}
	d.undo = append(d.undo, server.Stop)
	d.at.Registry = server.URL()
	client, err := registry.New(registry.Options{URLs: []string{server.URL()}})
	if err != nil {
		return err
	}
	defer client.Close()
	files, err := registry.FindFiles(schemas.Files, "all")
	if err != nil {
		return err
	}
	return registry.Update(ctx, client, files, false, d.log)
}

// startDashboard serves bins, unless a real dashboard is followed.
func (d *demo) startDashboard(ctx context.Context) error {
	if d.o.Dashboard != "" {
		if u, err := url.Parse(d.o.Dashboard); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("--dashboard: %s is no URL such as https://ifcb.example.org/mvco/", d.o.Dashboard)
		}
		d.at.Dashboard = d.o.Dashboard
		return nil
	}
	options := dashboard.Options{Dir: d.o.Bins, Generation: d.o.Generation, Log: d.log}
	if d.o.Bins == "" {
		options.Dir = filepath.Join(d.dir, "bins")
		instrument, err := dashboard.NewInstrument(dashboard.InstrumentOptions{Dir: options.Dir, Seed: 11, Interval: d.o.Interval, Keep: 500})
		if err != nil {
			return err
		}
		if err := d.runInstrument(ctx, instrument); err != nil {
			return err
		}
	}
	handler, err := dashboard.New(options)
	if err != nil {
		return err
	}
	if files, err := ifcb.List(options.Dir); err == nil && len(files) == 0 {
		fmt.Fprintf(d.out, "dashboard: %s has no bins yet: files NAME.adc, NAME.hdr and NAME.roi\n", options.Dir)
	}
	base, err := d.serve("dashboard", dashboardPort, handler)
	d.at.Dashboard = base + "/demo/"
	return err
}

// backlog is how many bins of the past the simulated instrument begins with.
const backlog = 3

// runInstrument has bins of the past to begin with, and takes new ones until the
// demo stops; with --until-idle no new ones.
func (d *demo) runInstrument(ctx context.Context, instrument *dashboard.Instrument) error {
	if err := instrument.Begin(ctx, backlog); err != nil || d.o.UntilIdle {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { // until the demo stops
		defer close(done)
		if err := instrument.Run(running, 0); err != nil && running.Err() == nil {
			d.log.Error("simulated instrument", "error", err.Error())
		}
	}()
	d.undo = append(d.undo, func() { cancel(); <-done })
	return nil
}

// serve runs an HTTP server until the demo stops and gives its base URL.
func (d *demo) serve(what string, preferred int, handler http.Handler) (string, error) {
	l, err := d.listen(what, preferred)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // until the demo stops
		defer close(done)
		err := web.Serve(ctx, l, handler, web.Options{Grace: 2 * time.Second, Log: slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)})
		if err != nil && ctx.Err() == nil { // else connections that did not end by themselves
			d.log.Error(what, "error", err.Error())
		}
	}()
	d.undo = append(d.undo, func() { cancel(); <-done })
	return "http://" + l.Addr().String(), nil
}
