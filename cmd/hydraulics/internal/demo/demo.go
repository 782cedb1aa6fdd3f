// Package demo runs the whole flow on embedded servers, with a simulated instrument.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/files"
)

// Options say what to show, and where.
type Options struct {
	Data       string        // folder; empty for one in the user's cache folder
	Bins       string        // folder of raw bins to serve, in place of a simulated instrument's
	Dashboard  string        // URL of a real dashboard, in place of a served one
	Generation int           // of the served dashboard
	Interval   time.Duration // from one simulated bin to the next
	UntilIdle  bool          // end when all that is offered has landed
	// OriginalPassword gives the role kafka the password that the original's
	// configuration files have, in place of a drawn one.
	OriginalPassword bool
	Verbose          bool
}

// endpoints are the addresses of a running demo, as endpoints.json has them.
type endpoints struct {
	Connect   string `json:"connect"`
	Page      string `json:"page"`
	API       string `json:"api"`
	Registry  string `json:"registry"`
	Kafka     string `json:"kafka"`
	Postgres  string `json:"postgres"`
	Dashboard string `json:"dashboard"`
	Token     string `json:"token"` // of the REST API, for changes
}

// Run starts everything, in the order in which the parts need each other, and
// stops it in the reverse one.
func (o Options) Run(ctx context.Context, out, logs io.Writer) error {
	dir, err := o.folder()
	if err != nil {
		return err
	}
	level := slog.LevelWarn
	if o.Verbose {
		level = slog.LevelInfo
	}
	d := &demo{o: o, dir: dir, out: out, log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: level}))}
	defer d.stop()
	began := time.Now()
	fmt.Fprintf(out, "data in %s (delete it to begin anew)\n", dir)
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"Kafka broker", d.startBroker}, {"schema registry", d.startRegistry}, {"PostgreSQL", d.startPostgres},
		{"dashboard", d.startDashboard}, {"read API", d.startReadAPI}, {"worker", d.startWorker},
	} {
		if err := step.run(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // interrupted
			}
			return fmt.Errorf("demo: %s: %w", step.what, err)
		}
	}
	if err := d.describe(time.Since(began)); err != nil {
		return err
	}
	if o.UntilIdle {
		return d.untilIdle(ctx)
	}
	go d.firstRows(ctx) // ends with ctx, or when there are rows
	<-ctx.Done()
	fmt.Fprintln(out, "stopping")
	return nil
}

// folder gives the data folder, made if need be.
func (o Options) folder() (string, error) {
	dir := o.Data
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("demo: no cache folder, name one with --data: %w", err)
		}
		dir = filepath.Join(cache, "hydraulics", "demo")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("demo: --data: %w", err)
	}
	if err := files.PrivateFolder(dir); err != nil { // there are passwords in it
		return "", fmt.Errorf("demo: data folder: %w; name one that can be written with --data", err)
	}
	return dir, nil
}

// describe prints where things are and writes endpoints.json.
func (d *demo) describe(took time.Duration) error {
	text, err := json.MarshalIndent(d.at, "", "  ")
	if err != nil {
		return err
	}
	end := "Interrupt to stop; the next start goes on from there."
	if d.o.UntilIdle {
		end = "It ends when all bins that are offered have landed."
	}
	file := filepath.Join(d.dir, "endpoints.json")
	if err := files.Replace(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	fmt.Fprintf(d.out, `ready after %.1f s

  page        %s      (good once: its browser may change things)
  read API    %s
  REST API    %s      (Kafka Connect's; changes take the token in %s)
  dashboard   %s
  Kafka       %s
  registry    %s
  PostgreSQL  %s      (with the password there)

  curl '%s'

%s
`, took.Seconds(), d.entry, d.at.API, d.at.Connect, file, d.at.Dashboard, d.at.Kafka, d.at.Registry, withoutPassword(d.at.Postgres), d.query(), end)
	return nil
}

// withoutPassword takes the password out of a URL.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "" // it is not one of ours
	}
	u.User = url.User(u.User.Username())
	return u.String()
}

// query is one to try.
func (d *demo) query() string {
	return d.at.API + "/ifcb_sample_stats?hab=is.true&order=time.desc&limit=5"
}
