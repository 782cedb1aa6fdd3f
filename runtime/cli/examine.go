package cli

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/disk"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/distributed"
	"github.com/axiom-data-science/hydraulics/runtime/internal/health"
)

// filesAtOnce is how many connectors of files are looked at at the same time, runningAtOnce
// how many at a running worker, which has its own work: a look loads their models.
const filesAtOnce, runningAtOnce = 8, 2

// examiner makes what looks whether a running worker, or one of its connectors, has what
// it needs. apart is a worker that runs nothing: what runs does not hear of it.
func (w *Worker) examiner(apart *runtime.Worker) func(ctx context.Context, name string, long time.Duration) ([]health.Check, error) {
	slots := make(chan struct{}, runningAtOnce)
	return func(ctx context.Context, name string, long time.Duration) ([]health.Check, error) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		defer func() { <-slots }()
		if name == "" {
			return checksOf(health.OfWorker, w.look(ctx, w.setup, long, nil), w.hider(health.OfWorker, nil, config.Origin{})), nil
		}
		i, err := w.herder.Info(name)
		if err != nil {
			return nil, err
		}
		var hide func(string) string
		late := runtime.Look(ctx, "configuration", long, func(context.Context, func(connector.Finding)) {
			hide = w.hider(name, i.Config, i.Origin()) // asks config providers
		})
		if len(late) > 0 {
			return checksOf(name, late, config.Mask), nil
		}
		return checksOf(name, lookAt(ctx, apart, w.herder.Validator(), name, i.Config, i.Origin(), long, false), hide), nil
	}
}

// hider gives what hides the secrets of the worker and of a configuration: systems may
// repeat what they were sent.
func (w *Worker) hider(of string, props connector.Props, from config.Origin) func(text string) string {
	mask, err := w.herder.Validator().Masker(props, from)
	if err != nil {
		w.log.Debug("doctor: references are not replaced: "+err.Error(), "connector", of)
	}
	return func(text string) string { return config.Mask(mask.Replace(text)) }
}

// checksOf gives findings as checks, with what is to be hidden in them.
func checksOf(of string, findings []connector.Finding, hide func(text string) string) []health.Check {
	var report health.Report
	for _, f := range findings {
		f.What, f.Says = hide(f.What), hide(f.Says)
		if f.Err != nil { // as a whole: a check has its first line
			f.Err = connector.Coded(connector.CodeOf(f.Err), errors.New(hide(f.Err.Error())))
		}
		report.Add(of, f)
	}
	return report.Checks
}

// lookAt looks at what a connector needs. said is that what is wrong with its
// configuration was told.
func lookAt(ctx context.Context, w *runtime.Worker, v *config.Validator, name string, props connector.Props, from config.Origin, long time.Duration, said bool) []connector.Finding {
	var spec *runtime.TaskSpec
	findings := runtime.Look(ctx, "configuration", long, func(_ context.Context, found func(connector.Finding)) {
		s, err := specOf(v, name, props, from) // asks config providers
		switch {
		case err == nil:
			spec = &s
		case !said:
			found(connector.Finding{What: "configuration", Err: connector.Coded("H1009", err)})
		}
	})
	if len(findings) > 0 || spec == nil {
		return findings
	}
	return w.Check(ctx, *spec, long)
}

// look looks at what the worker itself needs: Kafka, its topics in a cluster, and
// where it keeps offsets without one. unread is why the file of these could not be read.
func (w *Worker) look(ctx context.Context, s *config.Setup, long time.Duration, unread error) []connector.Finding {
	what := "Kafka at " + strings.Join(w.conf.List("bootstrap.servers"), ",")
	findings := runtime.Look(ctx, what, long, func(ctx context.Context, found func(connector.Finding)) {
		k, err := w.openKafka(ctx, "")
		if err != nil {
			found(connector.Finding{What: what, Err: connector.Coded("H2001", err)})
			return
		}
		defer k.Close()
		f := connector.Finding{What: what}
		f.Says, f.Err = k.Cluster(ctx)
		found(f)
		if s.Distributed && f.Err == nil {
			distributed.Check(ctx, k, w.props, found)
		}
	})
	if s.Distributed {
		return findings
	}
	return append(findings, runtime.Look(ctx, "file of offsets", long, func(_ context.Context, found func(connector.Finding)) {
		name, err := w.offsetFile(s)
		if err != nil {
			found(connector.Finding{What: "file of offsets", Err: connector.Coded("H1002", err)})
			return
		}
		file := disk.ToAppend("file of offsets", name)
		if unread != nil {
			file = connector.Finding{What: file.What, Err: connector.Coded("H7006", unread)}
		}
		found(disk.ToWrite("folder of the offsets", filepath.Dir(name)))
		found(file)
	})...)
}
