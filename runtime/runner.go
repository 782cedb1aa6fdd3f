package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// started calls the Start of a plugin that word names. Its context lives on with the plugin until
// the end of the task's life, but ends with quit while Start has not returned.
func (t *Task) started(word string, start func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(t.life)
	unlink := context.AfterFunc(t.quit, cancel)
	err := t.guarded("start of "+word, func() error { return start(ctx) })
	if !unlink() && err == nil {
		err = errStopping
	}
	if err != nil {
		cancel()
	}
	return err
}

// props gives what the plugin of a source or sink is configured with.
func (t *Task) props() connector.Props {
	if t.spec.TaskProps != nil {
		return t.spec.TaskProps
	}
	return t.spec.Props
}

// instance makes the task's source or sink and parses its configuration.
func instance[T connector.Plugin](t *Task, kind connector.PluginType, class string) (plugin T, conf connector.Config, err error) {
	made, err := t.options.Plugins.New(kind, class)
	if err != nil {
		return plugin, conf, connector.Coded("H1004", connector.Fatal(err))
	}
	plugin, ok := made.(T)
	if !ok {
		return plugin, conf, connector.Fatal(fmt.Errorf("%s is no %s", class, kind))
	}
	info := plugin.Info()
	t.plugin.Store(&info)
	conf, err = connector.ParsePlugin(plugin, t.props())
	return plugin, conf, err
}

// configs gives the plugin of a source or sink its configuration as it is by now.
func (t *Task) configs(plugin connector.Plugin) func() (connector.Config, error) {
	return func() (connector.Config, error) {
		props := t.props()
		if t.spec.Latest != nil {
			var err error
			if props, err = t.spec.Latest(); err != nil {
				return connector.Config{}, err
			}
		}
		return connector.ParsePlugin(plugin, props)
	}
}

// refused decides about a record that Kafka has not taken: nil is that the
// failure is tolerated. The producer has retried what can be retried.
func (t *Task) refused(s *stage, it *item, cause error) error {
	s.stats.errors.Add(1)
	err := t.at.wrap(s.place, it.place(), cause)
	if v := t.tolerance.judge(s.rule, err, 0, 0); v.do != tolerate {
		return err
	}
	it.tolerate(t.tolerance, failure{stage: s, cause: cause, err: err})
	return nil
}

// connect opens what a task needs. After an error nothing is left open.
func (t *Task) connect(set *settings, produce, consume bool) (*clients, error) {
	k := &clients{open: t.options.Open, props: set.clientProps, spec: t.spec, log: t.log, byProps: map[string]*kafka.Client{}}
	err := k.connect(t.quit, produce, consume)
	if err != nil {
		return nil, errors.Join(environment(fmt.Errorf("kafka: %w", err)), k.Close())
	}
	t.clients.Store(k)
	return k, nil
}

// outbox makes what a task sends with.
func (t *Task) outbox(set *settings, k *clients, j *journey) *outbox {
	o := &outbox{at: t.at, errors: &t.errors, letters: t.letters(set, k), journey: j,
		create: &stage{place: "creation of topic", rule: rule{unmarked: connector.KindRetriable}}}
	if k.producer != nil {
		o.producer = k.producer
	}
	o.topics = &topics{create: k.admin.CreateTopic, enabled: set.createTopics, rules: set.topicRules, made: map[string]bool{}}
	return o
}

// release closes what a task has made, its plugin first; after a start that
// failed any of it may be missing.
func (t *Task) release(plugin interface{ Stop() error }, p *parts, k *clients) {
	var errs []error
	if plugin != nil {
		errs = append(errs, t.guarded("stop of the "+string(t.spec.Kind), plugin.Stop))
	}
	if p != nil {
		errs = append(errs, t.guarded("stop of the transforms and converters", p.Close))
	}
	if k != nil {
		t.clients.Store(nil)
		errs = append(errs, k.Close())
	}
	t.ended(errs...)
}

// guarded calls a plugin: its panic is a fatal error, and its silence is seen.
func (t *Task) guarded(what string, call func() error) error {
	defer t.watch.call(what).end()
	return guard(call)
}

// ended logs what went wrong while things were given back: nothing depends on
// it any more.
func (t *Task) ended(errs ...error) {
	if err := errors.Join(errs...); err != nil {
		t.log.Warn("end of task: " + err.Error())
	}
}

// letters gives the writer of dead letters, nil without a topic for them.
func (t *Task) letters(set *settings, k *clients) *dlq.Writer {
	if set.letters == "" {
		return nil
	}
	return dlq.NewWriter(k.producer, dlq.Options{Topic: set.letters, Replication: set.letterReplicas,
		Context: set.letterHeaders, Create: k.admin.CreateTopic})
}
