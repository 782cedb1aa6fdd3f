package demo

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/embedded/postgres"
	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/postgrest"
	"github.com/axiom-data-science/hydraulics/runtime/cli"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// The demo's database, as the original's development set-up had it.
const (
	demoDatabase     = "topics"
	demoUser         = "kafka"
	originalPassword = "somepassword"
	anonymous        = "web_anon" // the role that the read API takes on
)

// startPostgres starts the database and makes the table of the statistics.
func (d *demo) startPostgres(ctx context.Context) error {
	port, err := d.port("PostgreSQL", postgresPort)
	if err != nil {
		return err
	}
	options := postgres.Options{Dir: filepath.Join(d.dir, "postgres"), Port: port,
		User: demoUser, Database: demoDatabase, Roles: []string{anonymous}, Log: d.log}
	// The password itself stays out of the configuration, which the REST API shows.
	d.password = "${file:" + filepath.Join(options.Dir, postgres.PasswordsFile) + ":" + demoUser + "}"
	if d.o.OriginalPassword {
		options.Password, d.password = originalPassword, originalPassword
	}
	server, err := postgres.Start(ctx, options)
	if err != nil {
		return err
	}
	d.undo = append(d.undo, func() {
		if err := server.Stop(); err != nil {
			d.log.Error("PostgreSQL", "error", err.Error())
		}
	})
	if at := server.Folder(); filepath.Dir(at) != options.Dir {
		fmt.Fprintf(d.out, "PostgreSQL's data in %s, since its account cannot enter the folder (cleared when you begin anew)\n", at)
	}
	if at := server.Programs(); at != "" {
		fmt.Fprintf(d.out, "PostgreSQL's programs in %s\n", at)
	}
	d.at.Postgres = server.DSN()
	d.database = "postgresql://127.0.0.1:" + strconv.Itoa(server.Port()) + "/" + demoDatabase + "?sslmode=disable"
	files, err := fs.Sub(configs.FS, "migrations")
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, server.DSN())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return migrations.Up(ctx, conn, files)
}

// startReadAPI serves the database's tables.
func (d *demo) startReadAPI(ctx context.Context) error {
	api, err := postgrest.New(ctx, postgrest.Options{URI: d.at.Postgres, Schemas: []string{"public"}, AnonRole: anonymous, Aggregates: true, Log: d.log})
	if err != nil {
		return err
	}
	d.undo = append(d.undo, api.Close)
	d.at.API, err = d.serve("read API", apiPort, api)
	return err
}

// startWorker runs the demo's flow against the servers that were started.
func (d *demo) startWorker(ctx context.Context) error {
	text, err := fs.ReadFile(configs.FS, "demo/demo.yaml")
	if err != nil {
		return err
	}
	journey := new(config.Setup)
	if err := journey.Add(filepath.Join(d.dir, "demo.yaml"), text, config.AnyRole); err != nil {
		return err
	}
	for key, value := range d.settings() {
		if value == "" {
			continue
		}
		if err := journey.Set(key + "=" + value); err != nil {
			return err
		}
	}
	if d.worker, err = cli.StartWorker(ctx, cli.WorkerOptions{Setup: journey, Log: d.log, Ticket: true,
		Links: [][2]string{{"statistics", d.query()}, {"dashboard", d.at.Dashboard}}}); err != nil {
		return err
	}
	d.undo = append(d.undo, func() {
		limited, cancel := context.WithTimeout(context.Background(), d.worker.Patience())
		defer cancel()
		if err := d.worker.Close(limited); err != nil {
			d.log.Warn("worker", "error", err.Error()) // what was not committed comes again
		}
	})
	d.at.Connect, d.at.Page = d.worker.RESTURL(), d.worker.PageURL()
	d.entry, d.at.Token = d.worker.Pass()
	return nil
}

// settings are what differs from demo.yaml.
func (d *demo) settings() map[string]string {
	set := map[string]string{
		"bootstrap.servers":                    d.at.Kafka,
		"schema.registry.url":                  d.at.Registry,
		"offset.storage.file.filename":         filepath.Join(d.dir, "demo.offsets"),
		"connectors.ifcb-images.dashboard.url": d.at.Dashboard,
	}
	for _, sink := range []string{"ifcb-postgres", "ifcb-bins"} {
		set["connectors."+sink+".connection.url"] = d.database
		set["connectors."+sink+".connection.password"] = d.password
	}
	if d.o.Dashboard != "" {
		set["connectors.ifcb-images.nbins"] = "1"
	}
	if d.o.UntilIdle {
		set["connectors.ifcb-images.mode"] = "once"
	}
	for _, l := range []struct {
		key, what string
		preferred int
	}{{"listeners", "REST API", connectPort}, {"page.listener", "page", pagePort}} {
		if port, err := d.port(l.what, l.preferred); err == nil {
			set[l.key] = "http://127.0.0.1:" + strconv.Itoa(port)
		}
	}
	return set
}

// sourceDone tells whether the source has given everything.
func (d *demo) sourceDone() (bool, error) {
	if err := d.worker.Failed(); err != nil {
		return false, err
	}
	return d.worker.Done("ifcb-images")
}
