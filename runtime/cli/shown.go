package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/topics"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// roleClient connects to Kafka in a role of clients, for what the page shows.
func (w *Worker) roleClient(ctx context.Context, role string) (*kafka.Client, error) {
	return w.openKafka(ctx, role+".")
}

// decoder makes the converters by which a connector reads or writes a topic: those of
// its configuration, or the worker's where it names none.
func (w *Worker) decoder(props connector.Props, from config.Origin, topic string) (d topics.Decoder, err error) {
	v := w.herder.Validator()
	if props, err = v.Resolver.Resolve(props, from); err != nil {
		return d, err
	}
	class, _ := props.Text("connector.class")
	if output, _ := props.Text("topic"); strings.EqualFold(class, config.StreamClass) && topic != output {
		props = props.WithPrefix("input.") // what it reads has converters of its own
	}
	one := func(use string) (connector.Converter, error) {
		of, key := props, use+".converter"
		if _, named := of.Text(key); !named {
			of = w.props.Clone()
			of[key] = w.conf.String(key)
		}
		return config.Converter(v.Plugins, use, of, w.props)
	}
	var errs [2]error
	d.Key, errs[0] = one("key")
	d.Value, errs[1] = one("value")
	if err := errors.Join(errs[:]...); err != nil {
		d.Close()
		return topics.Decoder{}, err
	}
	return d, nil
}

// previews makes what shows previews on the page. apart is a worker that runs nothing:
// what runs neither counts its records nor hears of its topics.
func (w *Worker) previews(apart *runtime.Worker) func(ctx context.Context, name string, props connector.Props, from config.Origin, o runtime.PreviewOptions) (*preview.Result, error) {
	return func(ctx context.Context, name string, props connector.Props, from config.Origin, o runtime.PreviewOptions) (*preview.Result, error) {
		return previewOf(ctx, apart, w.herder.Validator(), name, props, from, o)
	}
}

// askReload has the files read anew, by whoever runs the worker.
func (w *Worker) askReload() {
	select {
	case w.asksReload <- struct{}{}:
	default: // it was asked already
	}
}

// kept gives the topics that the workers of a cluster keep their state in.
func (w *Worker) kept() []string {
	if w.member == nil {
		return nil
	}
	var list []string
	for _, key := range []string{"config.storage.topic", "offset.storage.topic", "status.storage.topic"} {
		if topic, _ := w.props.Text(key); topic != "" {
			list = append(list, topic)
		}
	}
	return list
}
