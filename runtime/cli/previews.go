package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/offset"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// previewer shows what the connectors of a setup would make of records.
type previewer struct {
	setup      *config.Setup
	validator  *config.Validator
	configured *Worker // and not started
	runtime    *runtime.Worker
	notes      []string // of all connectors
	unread     error    // why it is not known where sources are
}

// newPreviewer makes what the previews of a setup share. It opens nothing that others
// would see.
func newPreviewer(s *config.Setup, log *slog.Logger) (*previewer, error) {
	p, err := newLenientPreviewer(s, log)
	if err != nil {
		return nil, err
	}
	return p, p.unread
}

// newLenientPreviewer is newPreviewer that goes on where offsets cannot be read, as though there
// were none.
func newLenientPreviewer(s *config.Setup, log *slog.Logger) (*previewer, error) {
	resolver, err := config.NewResolver(s.Worker.Props())
	if err != nil {
		return nil, err
	}
	resolver.Embedded = Defaults
	w := new(Worker)
	if err := w.configure(s, resolver); err != nil {
		return nil, err
	}
	p := &previewer{setup: s, configured: w, validator: &config.Validator{Plugins: connector.Plugins, Worker: w.props, Resolver: resolver}}
	var offsets offset.Store
	if offsets, p.unread = p.offsets(w); p.unread != nil {
		if offsets, err = offset.ReadFile(""); err != nil {
			return nil, err
		}
	}
	p.runtime, err = runtime.NewWorker(runtime.Options{Offsets: offsets, Log: log})
	return p, err
}

// offsets reads where sources are.
func (p *previewer) offsets(w *Worker) (offset.Store, error) {
	if p.setup.Distributed {
		p.notes = append(p.notes, "the offsets of a cluster are not read: sources begin anew")
		return offset.ReadFile("")
	}
	name, err := w.offsetFile(p.setup)
	if err != nil {
		return nil, err
	}
	return offset.ReadFile(name)
}

// chosen gives the connectors of these names, all without any.
func (p *previewer) chosen(names []string) ([]*config.Connector, error) {
	var list []*config.Connector
	var all []string
	for i := range p.setup.Connectors {
		c := &p.setup.Connectors[i]
		all = append(all, c.Name)
		if len(names) == 0 || slices.Contains(names, c.Name) {
			list = append(list, c)
		}
	}
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("--connector %s: the files have no such connector, there are %s", n, strings.Join(all, ", "))
		}
	}
	if len(list) == 0 {
		return nil, errors.New("the files have no connectors")
	}
	return list, nil
}

// kind gives what a connector is.
func (p *previewer) kind(c *config.Connector) (runtime.Kind, error) {
	class, _ := c.Entries.Props().Text("connector.class")
	kind, _, err := p.validator.Kind(class)
	return runtime.Kind(kind), err
}

// preview shows one connector.
func (p *previewer) preview(ctx context.Context, c *config.Connector, o runtime.PreviewOptions) (*preview.Result, error) {
	r, err := previewOf(ctx, p.runtime, p.validator, c.Name, c.Entries.Props(), c.Origin(), o)
	if err == nil && r.Kind == string(runtime.KindSource) && o.Input == nil {
		r.Notes = append(r.Notes, p.notes...)
	}
	return r, err
}

// previewOf shows what a connector would make of records: at the command line, and on
// the page of a worker.
func previewOf(ctx context.Context, w *runtime.Worker, v *config.Validator, name string, props connector.Props, from config.Origin, o runtime.PreviewOptions) (*preview.Result, error) {
	spec, err := specOf(v, name, props, from)
	if err != nil {
		return nil, err
	}
	return w.Preview(ctx, spec, o)
}

// specOf gives a connector as one that is not started, with what references stand for.
func specOf(v *config.Validator, name string, props connector.Props, from config.Origin) (spec runtime.TaskSpec, err error) {
	props = props.Clone()
	props["name"] = name
	report, err := v.Validate(props, from)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return spec, fmt.Errorf("%s: %w", name, err)
	}
	spec = runtime.TaskSpec{Connector: name, Kind: runtime.Kind(report.Kind), Worker: v.Worker}
	if spec.Props, err = v.Resolve(report); err != nil {
		return spec, fmt.Errorf("%s: %w", name, err)
	}
	return spec, nil
}
