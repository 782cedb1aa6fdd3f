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

// checksAtOnce is how many connectors are looked at at the same time.
const checksAtOnce = 8

// examiner makes what looks whether a running worker, or one of its connectors, has what
// it needs. apart is a worker that runs nothing: what runs does not hear of it.
func (w *Worker) examiner(apart *runtime.Worker) func(ctx context.Context, name string, long time.Duration) ([]health.Check, error) {
	slots := make(chan struct{}, checksAtOnce)
	return func(ctx context.Context, name string, long time.Duration) ([]health.Check, error) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		defer func() { <-slots }()
		if name == "" {
			return w.masked(health.OfWorker, w.look(ctx, w.setup, long, nil), nil, config.Origin{}), nil
		}
		i, err := w.herder.Info(name)
		if err != nil {
			return nil, err
		}
		findings := lookAt(ctx, apart, w.herder.Validator(), name, i.Config, i.Origin(), long, false)
		return w.masked(name, findings, i.Config, i.Origin()), nil
	}
}

// masked gives findings as checks, without the secrets of the worker and of a
// configuration: systems may repeat what they were sent.
func (w *Worker) masked(of string, findings []connector.Finding, props connector.Props, from config.Origin) []health.Check {
	mask, err := w.herder.Validator().Masker(props, from)
	if err != nil {
		w.log.Debug("doctor: references are not replaced: "+err.Error(), "connector", of)
	}
	hide := func(text string) string { return config.Mask(mask.Replace(text)) }
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
	spec, err := specOf(v, name, props, from)
	switch {
	case err != nil && said:
		return nil
	case err != nil:
		return []connector.Finding{{What: "configuration", Err: connector.Coded("H1009", err)}}
	}
	return w.Check(ctx, spec, long)
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
	name, err := w.offsetFile(s)
	if err != nil {
		return append(findings, connector.Finding{What: "file of offsets", Err: connector.Coded("H1002", err)})
	}
	file := disk.ToAppend("file of offsets", name)
	if unread != nil {
		file = connector.Finding{What: file.What, Err: connector.Coded("H7006", unread)}
	}
	return append(findings, disk.ToWrite("folder of the offsets", filepath.Dir(name)), file)
}
