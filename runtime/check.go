package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// mostSkew is how far a system's clock may be from this machine's: what is compared has
// come over a network, and in HTTP has whole seconds.
const mostSkew = 5 * time.Second

// Check looks whether a connector could run: its configuration, Kafka as its clients
// reach it, its topics and group with the rights to them, and what its plugins say of
// their systems. Nothing is written anywhere. Each of these has so long; one that takes
// longer is said to, and left alone.
func (w *Worker) Check(ctx context.Context, spec TaskSpec, long time.Duration) []connector.Finding {
	o := w.options
	o.Log = slog.New(slog.DiscardHandler) // what is wrong is a finding
	t := newTask(o, spec, nil)
	defer t.kill(errStopping)
	defer context.AfterFunc(ctx, func() { t.kill(context.Cause(ctx)) })()
	set, err := parseSettings(spec)
	if err != nil {
		return []connector.Finding{{What: "configuration", Err: connector.Coded("H1009", err)}}
	}
	c := t.context()
	c.Preview = &connector.Preview{Would: func(connector.Effect) {}}
	made, findings := t.buildFor(ctx, set, c, long)
	defer t.release(nil, made, nil)
	var looks []look
	for _, p := range made.checkers {
		looks = append(looks, look{p.place, func(ctx context.Context, found func(connector.Finding)) {
			p.plugin.Check(ctx, c, p.conf, found)
		}})
	}
	if spec.Kind != KindStream {
		looks = append(looks, t.lookAtPlugin(set, c))
	}
	looks = append(looks, look{"Kafka", func(ctx context.Context, found func(connector.Finding)) {
		t.lookAtKafka(ctx, set, made.stores, found)
	}})
	all := make([][]connector.Finding, len(looks))
	var wait sync.WaitGroup
	for i, l := range looks {
		wait.Go(func() { all[i] = Look(ctx, l.place, long, l.do) })
	}
	wait.Wait()
	for i, list := range all {
		for _, f := range list {
			if f.Err != nil {
				f.Err = connector.Coded(codeOf(looks[i].place, f.Err), f.Err)
			}
			if !slices.ContainsFunc(findings, func(o connector.Finding) bool { return sameFinding(o, f) }) {
				findings = append(findings, f) // key and value converter have one registry
			}
		}
	}
	return findings
}

// buildFor is build that takes so long at most: plugins may read files and load models.
// What is built later is given back at once.
func (t *Task) buildFor(ctx context.Context, set *settings, c connector.Context, long time.Duration) (*parts, []connector.Finding) {
	var mu sync.Mutex
	made, late := new(parts), false
	findings := Look(ctx, "configuration", long, func(_ context.Context, found func(connector.Finding)) {
		p, err := build(t, set, c)
		if err != nil {
			found(connector.Finding{What: "configuration", Err: connector.Coded(codeOf("start", err), err)})
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if late {
			t.release(nil, p, nil)
			return
		}
		made = p
	})
	mu.Lock()
	defer mu.Unlock()
	late = true
	return made, findings
}

func sameFinding(a, b connector.Finding) bool {
	return a.What == b.What && a.Says == b.Says && a.Warning == b.Warning && fmt.Sprint(a.Err) == fmt.Sprint(b.Err)
}

// look is something that is looked at, by itself.
type look struct {
	place string
	do    func(ctx context.Context, found func(connector.Finding))
}

// lookAtPlugin has the plugin of a source or sink look at its system.
func (t *Task) lookAtPlugin(set *settings, c connector.Context) look {
	plugin, err := t.options.Plugins.New(connector.PluginType(t.spec.Kind), set.class)
	word := string(t.spec.Kind)
	if err != nil {
		return look{word, func(_ context.Context, found func(connector.Finding)) {
			found(connector.Finding{What: word, Err: connector.Coded("H1004", err)})
		}}
	}
	place := word + " (" + plugin.Info().Name + ")"
	return look{place, func(ctx context.Context, found func(connector.Finding)) {
		checker, ok := plugin.(connector.Checker)
		if !ok {
			found(connector.Finding{What: place, Says: "it looks at nothing before it starts"})
			return
		}
		conf, err := connector.ParsePlugin(plugin, t.props())
		if err != nil {
			found(connector.Finding{What: place, Err: err})
			return
		}
		checker.Check(ctx, c, conf, found)
	}}
}

// Look has something looked at for so long at most, and gives what was found by then.
// What goes on for longer ends by itself, and a panic is a finding.
func Look(ctx context.Context, what string, long time.Duration, do func(ctx context.Context, found func(connector.Finding))) []connector.Finding {
	late := connector.Coded("H9003", fmt.Errorf("no answer within %s", long))
	ctx, cancel := context.WithTimeoutCause(ctx, long, late)
	defer cancel()
	var mu sync.Mutex
	var findings []connector.Finding
	over := false
	found := func(f connector.Finding) {
		if f.Err == nil && !f.Clock.IsZero() {
			f = clocked(f)
		}
		if errors.Is(f.Err, context.DeadlineExceeded) && context.Cause(ctx) == late && connector.CodeOf(f.Err) == "" {
			f.Err = late
		}
		mu.Lock()
		defer mu.Unlock()
		if !over {
			findings = append(findings, f)
		}
	}
	done := make(chan struct{})
	go func() { // ends when what it calls does, which is soon after ctx
		defer close(done)
		if err := guard(func() error { do(ctx, found); return nil }); err != nil {
			found(connector.Finding{What: what, Err: connector.Coded(codeOf("", err), err)})
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(patience): // it may tell what it waited for
		}
	}
	mu.Lock()
	defer mu.Unlock()
	over = true
	hangs := false
	select {
	case <-done:
	default:
		hangs = true
	}
	if hangs || len(findings) == 0 && ctx.Err() != nil {
		findings = append(findings, connector.Finding{What: what, Err: context.Cause(ctx)})
	}
	return findings
}

// clocked warns of a clock that is far from this machine's.
func clocked(f connector.Finding) connector.Finding {
	skew := time.Until(f.Clock)
	if skew.Abs() <= mostSkew {
		return f
	}
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	f.Warning = true
	f.Err = connector.Coded("H9001", fmt.Errorf("its clock is %s %s that of the machine that looked", skew.Abs().Round(time.Second), way))
	return f
}
