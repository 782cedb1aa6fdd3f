package reclassify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// keepBest is the transform that chooses among the classifications of an image.
const keepBest = "keep-best"

// plan is how a flow is run again with another model.
type plan struct {
	o        Options
	flow     *config.Setup
	stream   config.Connector
	sink     *config.Connector // that brings the statistics into a table, nil where the flow has none
	classify string            // alias of the transform
	best     string            // alias of keep-best, empty without one
	name     string            // of the run
	identity string            // of the new model
	dir      string
	file     string // of the run's state
}

// plan reads the flow and refuses what would not do.
func (o Options) plan() (*plan, error) {
	p := &plan{o: o}
	var err error
	if p.flow, err = config.Read(o.Files...); err != nil {
		return nil, err
	}
	if err := p.flow.ApplyEnv(os.Environ()); err != nil {
		return nil, err
	}
	if err := p.settle(); err != nil {
		return nil, err
	}
	if !(o.Rate >= 0) {
		return nil, fmt.Errorf("--rate: %g is not a number of images a second", o.Rate)
	}
	if err := p.find(); err != nil {
		return nil, err
	}
	if err := p.allowed(); err != nil {
		return nil, err
	}
	if err := p.identify(); err != nil {
		return nil, err
	}
	if p.dir, err = o.folder(); err != nil {
		return nil, err
	}
	p.file = filepath.Join(p.dir, p.name+".json")
	return p, nil
}

// settle resolves the keys that the plan is made of; what else refers to the
// environment or to files is the worker's to resolve.
func (p *plan) settle() error {
	resolver, err := config.NewResolver(p.flow.Worker.Props())
	if err != nil {
		return err
	}
	for _, c := range p.flow.Connectors {
		for i, e := range c.Entries {
			if !slices.Contains([]string{"topics", "topic", "table.name.format", "pk.fields", "consumer.override.group.id"}, e.Key) || !strings.Contains(e.Text, "${") {
				continue
			}
			props, err := resolver.Resolve(connector.Props{e.Key: e.Text}, c.Origin())
			if err != nil {
				return fmt.Errorf("%s: %s: %w", e.Place(), c.Name, err)
			}
			c.Entries[i].Text, _ = props.Text(e.Key)
		}
	}
	return nil
}

// text gives the value of a connector's key, empty without one.
func text(c config.Connector, key string) string {
	v, _ := c.Entries.Props().Text(key)
	return strings.TrimSpace(v)
}

// transformOf gives the alias of the first transform of a type, empty without one.
func transformOf(c config.Connector, kind string) string {
	for _, alias := range config.SplitList(text(c, "transforms")) {
		if text(c, "transforms."+alias+".type") == kind {
			return alias
		}
	}
	return ""
}

// find finds the stream that classifies and the sink behind it.
func (p *plan) find() error {
	var found []string
	for _, c := range p.flow.Connectors {
		if text(c, "connector.class") != config.StreamClass || p.o.Stream != "" && c.Name != p.o.Stream {
			continue
		}
		if alias := transformOf(c, "classify"); alias != "" {
			p.stream, p.classify = c, alias
			found = append(found, c.Name)
		}
	}
	files := strings.Join(p.o.Files, ", ")
	switch {
	case len(found) == 0 && p.o.Stream != "":
		return fmt.Errorf("%s has no stream %s with a transform classify", files, p.o.Stream)
	case len(found) == 0:
		return fmt.Errorf("%s has no stream with a transform classify", files)
	case len(found) > 1:
		return fmt.Errorf("%s has several streams that classify: choose one of %s with --stream", files, strings.Join(found, ", "))
	}
	if n := len(config.SplitList(text(p.stream, "topics"))); n != 1 {
		return fmt.Errorf("stream %s reads %d topics, reclassify needs one", p.stream.Name, n)
	}
	p.best = transformOf(p.stream, keepBest)
	for _, c := range p.flow.Connectors {
		if slices.Contains(config.SplitList(text(c, "topics")), text(p.stream, "topic")) && text(c, "connector.class") != config.StreamClass && text(c, "connection.url") != "" {
			p.sink = &c
			break
		}
	}
	return nil
}

// allowed refuses to write where the results would not be seen, or destroy others.
func (p *plan) allowed() error {
	if !p.o.Same {
		return nil
	}
	if p.best == "" {
		return nil
	}
	policy, err := p.bestSetting("policy")
	if err != nil {
		return err
	}
	model, err := p.bestSetting("model.field")
	if err != nil {
		return err
	}
	switch {
	case policy == "keep-best":
		return fmt.Errorf("--same-table: transform %s of %s keeps the classification with the highest probability ever, so a new model lands only where it is surer than any before: "+
			"set its policy to latest, or to per-model with %s among the pk.fields of the sink; without --same-table the new classes go into a table of their own", p.best, p.stream.Name, model)
	case policy == "per-model" && p.sink != nil && !slices.Contains(config.SplitList(text(*p.sink, "pk.fields")), model):
		return fmt.Errorf("--same-table: with the policy per-model the pk.fields of %s need %s, else the new classes overwrite the old ones", p.sink.Name, model)
	}
	return nil
}

// bestSetting gives the value of a key of the flow's keep-best: the flow's, else the transform's default.
func (p *plan) bestSetting(key string) (string, error) {
	if v := text(p.stream, "transforms."+p.best+"."+key); v != "" {
		return v, nil
	}
	transform, err := connector.Plugins.New(connector.TransformType, keepBest)
	if err != nil {
		return "", err
	}
	k, _ := transform.ConfigDef().Key(key)
	v, _ := k.Default.(string)
	return v, nil
}

// identify loads the model and names the run.
func (p *plan) identify() error {
	for _, path := range []*string{&p.o.Model, &p.o.Manifest, &p.o.Labels} {
		if _, err := os.Stat(*path); err == nil {
			if *path, err = filepath.Abs(*path); err != nil {
				return err
			}
		}
	}
	c, err := model.Open(model.Options{Model: p.o.Model, Manifest: p.o.Manifest, Labels: p.o.Labels})
	if err != nil {
		return err
	}
	short := p.o.Model[strings.LastIndexByte(strings.TrimRight(p.o.Model, "/"), '/')+1:]
	p.identity = p.o.Model
	if m, ok := model.Describe(c); ok {
		short = m.Name + "-" + m.Version
		p.identity = m.Name + ":" + m.Version + " " + m.Digest
	}
	if err := c.Close(); err != nil {
		return err
	}
	if p.name = p.o.Name; p.name == "" {
		p.name = p.stream.Name + "-" + short
	}
	p.name = "reclassify-" + strings.Map(func(r rune) rune {
		if r < 128 && (r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '_'
	}, p.name)
	return nil
}

// group is the consumer group of the run.
func (p *plan) group() string { return "connect-" + p.name }

// sinkName is the connector of the run that writes the table.
func (p *plan) sinkName() string { return p.name + "-table" }

// liveGroup is the consumer group of the flow's own stream.
func (p *plan) liveGroup() string {
	if id := text(p.stream, "consumer.override.group.id"); id != "" {
		return id
	}
	if id, ok := p.flow.Worker.Props().Text("consumer.group.id"); ok && id != "" {
		return id
	}
	return "connect-" + p.stream.Name
}

// change gives a connector of the run: another's with another name, without
// the keys that begin with one of drop, and with set over the rest.
func change(c config.Connector, name string, drop []string, set [][2]string) config.Connector {
	n := config.Connector{Name: name, File: c.File, Line: c.Line}
	for _, e := range c.Entries {
		if e.Key != "name" && !slices.ContainsFunc(drop, func(d string) bool { return e.Key == d || strings.HasSuffix(d, ".") && strings.HasPrefix(e.Key, d) }) {
			n.Entries = append(n.Entries, e)
		}
	}
	for _, kv := range append([][2]string{{"name", name}}, set...) {
		n.Entries = append(n.Entries, config.Entry{Key: kv[0], Text: kv[1], File: c.File})
	}
	return n
}

// journey is the worker's part of the flow with connectors of the run.
func (p *plan) journey(connectors []config.Connector) *config.Setup {
	worker := slices.Clone(p.flow.Worker)
	worker = append(worker, config.Entry{Key: "offset.storage.file.filename", Text: filepath.Join(p.dir, p.name+".offsets")},
		config.Entry{Key: "offset.flush.interval.ms", Text: "500"}) // the end of a run is seen by its commits
	return &config.Setup{Worker: worker, Connectors: connectors, Files: p.flow.Files}
}

// connectors gives the stream of the run, and the sink for a table of its own.
func (p *plan) connectors(r *run) []config.Connector {
	t := "transforms." + p.classify + "."
	drop := []string{"consumer.override.group.id"}
	for _, key := range []string{"model", "manifest", "labels", "model.name", "model.version", "ensemble", "swap.check.ms", "max.rate", "threads"} {
		drop = append(drop, t+key)
	}
	chain := []string{"reclassify-within"}
	for _, alias := range config.SplitList(text(p.stream, "transforms")) {
		if alias == p.best && !p.o.Same { // a table of its own has one classification of each image
			drop = append(drop, "transforms."+alias+".")
			continue
		}
		chain = append(chain, alias)
	}
	set := [][2]string{
		{"topic", r.Output}, {"tasks.max", "1"}, {"transforms", strings.Join(chain, ",")}, {"consumer.override.max.poll.records", strconv.Itoa(p.batch())},
		{"transforms.reclassify-within.type", withinName}, {"transforms.reclassify-within.run", p.name}, {"transforms.reclassify-within.ends", r.ends()},
		{"transforms.reclassify-within.since", strconv.FormatInt(r.Since, 10)}, {"transforms.reclassify-within.until", strconv.FormatInt(r.Until, 10)},
		{t + "model", p.o.Model}, {t + "threads", strconv.Itoa(p.o.Threads)}, {t + "max.rate", strconv.FormatFloat(p.o.Rate, 'g', -1, 64)},
	}
	for key, value := range map[string]string{"manifest": p.o.Manifest, "labels": p.o.Labels} {
		if value != "" {
			set = append(set, [2]string{t + key, value})
		}
	}
	all := []config.Connector{change(p.stream, p.name, drop, set)}
	if p.sink != nil && !p.o.Same {
		all = append(all, change(*p.sink, p.sinkName(), []string{"consumer.override.group.id"},
			[][2]string{{"topics", r.Output}, {"table.name.format", p.tableName()}, {"auto.create", "true"}}))
	}
	return all
}

// batch is how many images are worked on between two commits: what takes about
// two seconds, so that an interruption need not wait for long.
func (p *plan) batch() int {
	if p.o.Rate == 0 {
		return 50
	}
	return int(min(50, max(1, 2*p.o.Rate)))
}

// tableName is the run's own table.
func (p *plan) tableName() string {
	if p.o.Table != "" {
		return p.o.Table
	}
	base := text(*p.sink, "table.name.format")
	switch {
	case base == "":
		return "${topic}" // which is another one
	case strings.Contains(base, "${topic}"):
		return base
	}
	return base + "_" + strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, strings.ToLower(p.name))
}

// connect opens a client with the worker's own settings.
func (p *plan) connect(ctx context.Context) (*kafka.Client, error) {
	props, err := connection.WorkerProps(p.flow)
	if err != nil {
		return nil, err
	}
	conf, err := config.WorkerDef().Parse(props)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	c, err := kafka.Open(ctx, kafka.Options{Bootstrap: conf.List("bootstrap.servers"), ClientID: p.name, Props: connection.Keys(props)})
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return c, nil
}

// errOtherRun is told where a run's name is taken.
var errOtherRun = errors.New("begin another run with --name, or repeat the flags of that one")

// topicPartition writes a partition in a configuration.
func topicPartition(tp connector.TopicPartition, offset int64) string {
	return fmt.Sprintf("%s:%d:%d", tp.Topic, tp.Partition, offset)
}
