package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/loggers"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/distributed"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/door"
	"github.com/axiom-data-science/hydraulics/runtime/internal/lines"
	"github.com/axiom-data-science/hydraulics/runtime/internal/metric"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rates"
	"github.com/axiom-data-science/hydraulics/runtime/internal/tracing"
	"github.com/axiom-data-science/hydraulics/runtime/page"
	"github.com/axiom-data-science/hydraulics/runtime/rest"

	_ "github.com/axiom-data-science/hydraulics/converter/simpleheader" // the default of every worker
)

// WorkerOptions say what a worker runs.
type WorkerOptions struct {
	// Setup is the worker's configuration and its connectors.
	Setup *config.Setup
	// Plugins default to connector.Plugins.
	Plugins *connector.Registry
	// Defaults default to [Defaults].
	Defaults fs.FS
	// Links are shown on top of the page, name and URL.
	Links [][2]string
	// Ticket has those who do not log in only look: a ticket for the page, and a token,
	// let their bearers do everything.
	Ticket bool
	// Quiet is a worker without REST API and page: for commands that run one flow.
	Quiet bool
	Log   *slog.Logger
}

// Worker is a running worker: tasks, REST API and page.
type Worker struct {
	setup   *config.Setup
	conf    connector.Config
	props   connector.Props
	store   offset.Store
	wanted  store.Store
	kafka   *kafka.Client       // nil where the worker is by itself
	member  *distributed.Member // the same
	ended   chan error          // says why the worker cannot go on
	runtime *runtime.Worker
	herder  *herder.Herder
	door    *door.Door // nil without REST API and page
	page    *page.Page // the same
	// asksReload is where the page asks for the files to be read anew.
	asksReload chan struct{}
	pass       door.Pass
	traces     *tracing.Exporter // nil without a collector
	api        *rest.Server
	log        *slog.Logger
	loggers    *loggers.Registry
	lines      *lines.Lines
}

// StartWorker starts a worker. Its goroutines are ended by [Worker.Close]. An
// error of the configuration names all that is wrong.
func StartWorker(ctx context.Context, o WorkerOptions) (_ *Worker, err error) {
	if o.Plugins == nil {
		o.Plugins = connector.Plugins
	}
	if o.Defaults == nil {
		o.Defaults = Defaults
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	logged := lines.New()
	handler := loggers.Wrap(o.Log.Handler()).Around(logged.Handler)
	o.Log = slog.New(handler)
	w := &Worker{setup: o.Setup, log: o.Log, loggers: handler.Registry(), lines: logged, ended: make(chan error, 1), asksReload: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close(ctx))
		}
	}()
	raw := o.Setup.Worker.Props()
	resolver, err := config.NewResolver(raw)
	if err != nil {
		return nil, err
	}
	resolver.Embedded = o.Defaults
	if err := w.configure(o.Setup, resolver); err != nil {
		return nil, err
	}
	if !o.Quiet {
		if w.door, err = door.New(w.conf, o.Log); err != nil {
			return nil, fmt.Errorf("worker: %w", err)
		}
	}
	if err := w.open(ctx, o.Setup); err != nil {
		return nil, err
	}
	if w.traces, err = openTraces(ctx, w.conf, o.Log); err != nil {
		return nil, err
	}
	engine := runtime.Options{Plugins: o.Plugins, Offsets: w.store, Log: o.Log, Tracer: w.traces.Tracer()}
	if w.member != nil && w.conf.Bool("topic.tracking.enable") {
		engine.Topics = w.member
	}
	w.runtime, err = runtime.NewWorker(engine)
	if err != nil {
		return nil, err
	}
	of := herder.Options{
		Engine:    herder.Worker(w.runtime),
		Validator: &config.Validator{Plugins: o.Plugins, Worker: w.props, Written: raw, Resolver: resolver},
		Worker:    w.props,
		WorkerID:  w.id(),
		Store:     w.wanted,
		SetLevel:  w.setLevel,
		Log:       o.Log,
	}
	if w.member != nil {
		of.Assignment, of.Leader, of.Statuses = w.member, w.member, w.member
	}
	w.herder = herder.New(of, o.Setup.Connectors)
	ready, err := w.serve(o)
	if err != nil {
		return nil, err
	}
	w.join(ready)
	return w, nil
}

// open opens what the worker keeps, and its listeners: others are told these when it
// shares with them.
func (w *Worker) open(ctx context.Context, s *config.Setup) error {
	listen := func() error {
		if w.door == nil {
			return nil
		}
		return w.door.Open()
	}
	if s.Distributed {
		if err := listen(); err != nil {
			return err
		}
		return w.share(ctx, s)
	}
	name, err := w.offsetFile(s)
	if err != nil {
		return err
	}
	offsets, err := offset.OpenFile(name)
	if err != nil {
		return err
	}
	w.store = offsets
	if w.wanted, err = store.OpenFile(strings.TrimSuffix(name, ".offsets")+".connectors", s.Connectors); err != nil {
		return err
	}
	return listen()
}

// setLevel sets the level of loggers, as one has asked for who may be at another worker.
func (w *Worker) setLevel(namespace, level string) {
	changed := w.loggers.Set(namespace, level)
	w.log.Info("loggers have another level", "namespace", namespace, "level", level, "changed", len(changed))
}

// configure resolves and parses the worker's own keys, whose relative paths start
// from its file.
func (w *Worker) configure(s *config.Setup, r *config.Resolver) (err error) {
	if w.props, err = r.Resolve(s.Worker.Props(), workerOrigin(s)); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	for _, k := range config.WorkerDef().Keys() {
		name, given := w.props.Text(k.Name)
		if !k.Path || !given || name == "" {
			continue
		}
		if w.props[k.Name], err = r.Path(name, workerOrigin(s)); err != nil {
			return fmt.Errorf("worker: %s: %w", k.Name, err)
		}
	}
	if w.conf, err = config.WorkerDef().Parse(w.props); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}

// workerOrigin gives the folder that the worker's relative paths start from.
func workerOrigin(s *config.Setup) config.Origin {
	for _, e := range s.Worker {
		if filepath.Ext(e.File) != "" {
			return config.Origin{Dir: filepath.Dir(e.File)}
		}
	}
	return config.Origin{}
}

// offsetFile gives the file that keeps the offsets.
func (w *Worker) offsetFile(s *config.Setup) (string, error) {
	if name := w.conf.String("offset.storage.file.filename"); name != "" {
		return name, nil
	}
	if len(s.Files) == 0 {
		return "", errors.New("worker: offset.storage.file.filename is missing")
	}
	return strings.TrimSuffix(s.Files[0], filepath.Ext(s.Files[0])) + ".offsets", nil
}

// id gives the worker's name in statuses.
func (w *Worker) id() string {
	if w.door == nil {
		return "worker"
	}
	return w.door.Advertised()
}

// serve lets requests in. What it gives has them told that the worker is ready.
func (w *Worker) serve(o WorkerOptions) (ready func(), err error) {
	if w.door == nil {
		return func() {}, nil
	}
	apart, err := runtime.NewWorker(runtime.Options{Plugins: o.Plugins, Offsets: w.store, Log: w.log})
	if err != nil {
		return nil, err
	}
	hour := new(rates.History)
	of := rest.Options{Herder: w.herder, ClusterID: w.clusterID, Version: config.Version, Commit: commit(),
		AdminApart: w.door.AdminApart(), Tap: w.runtime.OpenTap, Check: w.examiner(apart), Lines: w.lines, Rates: hour, Log: w.log, Loggers: w.loggers,
		Topics: rest.TopicTracking{Off: !w.conf.Bool("topic.tracking.enable"), NoReset: !w.conf.Bool("topic.tracking.allow.reset")}}
	links := append([][2]string{{"REST API", w.RESTURL()}, {"metrics", w.RESTURL() + "/metrics"}, {"documentation", "docs/"}}, o.Links...)
	shown := page.Options{Herder: w.herder, Tap: w.runtime.Tap, Lines: w.lines, Rates: hour, Links: links, Version: config.Version, Log: w.log,
		Kafka: w.roleClient, Decoder: w.decoder, Kept: w.kept(),
		Write: w.conf.Bool("config.write"), Reload: w.askReload, Preview: w.previews(apart)}
	var cluster metric.Cluster
	if w.member != nil {
		of.Peers, cluster = w.member, w.member
		shown.Cluster, shown.Peers, shown.Ask, shown.WorkerID = w.inCluster, w.member.View, w.member.Do, w.id()
	}
	of.Metrics = metric.Handler(w.herder, cluster)
	api := rest.New(of)
	w.api, shown.API = api, api
	if o.Ticket {
		w.pass = w.door.Pass()
	}
	w.page = page.New(shown)
	handlers := door.Handlers{API: api, Admin: api.Admin(), Page: w.page}
	if w.member != nil && o.Ticket { // the others have sessions, too
		handlers.Vouched = w.member.Vouched
	}
	w.door.Serve(handlers)
	if w.door.HasPage() || w.member != nil { // pages of others ask for rates
		w.page.Start()
	}
	return api.SetReady, nil
}

// RESTURL gives the URL of the REST API, empty without one.
func (w *Worker) RESTURL() string {
	if w.door == nil {
		return ""
	}
	return w.door.APIURL()
}

// PageURL gives the URL of the page, empty without one.
func (w *Worker) PageURL() string {
	if w.door == nil {
		return ""
	}
	return w.door.PageURL()
}

// Pass lets its bearer do everything, with [WorkerOptions.Ticket]: the URL of the page
// that is good once, and a token.
func (w *Worker) Pass() (pageURL, token string) { return w.pass.PageURL, w.pass.Token }

// clusterID asks Kafka for its cluster's id.
func (w *Worker) clusterID(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := w.openKafka(ctx, "admin.")
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.ClusterID(ctx)
}

// Patience is how long the worker's tasks have to stop, by its configuration.
func (w *Worker) Patience() time.Duration {
	return time.Duration(w.conf.Int64("task.shutdown.graceful.timeout.ms")) * time.Millisecond
}

// Close stops the worker: what was read is delivered and committed for as long
// as ctx lasts, then tasks are broken off and the error says which. It is safe
// on a worker that did not start.
func (w *Worker) Close(ctx context.Context) error {
	var errs []error
	w.page.End()
	if w.herder != nil {
		errs = append(errs, w.herder.Close(ctx))
	}
	if w.api != nil {
		w.api.EndStreams()
	}
	errs = append(errs, w.member.Close(ctx), w.door.Close(ctx))
	w.page.Close()
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	if err := w.traces.Close(ctx); err != nil { // a collector that is away fails no worker
		w.log.Warn("spans are lost", "error", err.Error())
	}
	if w.kafka != nil {
		w.kafka.Close()
	}
	return errors.Join(errs...)
}
