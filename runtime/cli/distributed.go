package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/distributed"
)

// share makes the worker one of a cluster: what it keeps is in the cluster's topics.
func (w *Worker) share(ctx context.Context, s *config.Setup) (err error) {
	if err := config.CheckDistributed(s); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	if w.door == nil {
		return errors.New("worker: one of a cluster needs a REST API, which the others reach it by")
	}
	w.door.Machine(hostname())
	host, _, err := net.SplitHostPort(w.id())
	if err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
		w.log.Warn("workers on other machines cannot reach this one's REST API: set listeners, such as http://:8083, and rest.advertised.host.name", "at", w.id())
	}
	peers, err := w.door.Peers()
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	if w.kafka, err = w.openKafka(ctx, ""); err != nil {
		return fmt.Errorf("worker: kafka: %w", err)
	}
	w.member, err = distributed.Open(ctx, distributed.Options{Worker: w.conf, Props: w.props, Client: w.kafka,
		URL: w.door.AdvertisedURL(), WorkerID: w.id(), HTTP: peers, Version: config.Version, Log: w.log})
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	w.store, w.wanted = w.member.Offsets(), w.member.Store()
	return nil
}

// openKafka connects to Kafka as the worker, not as one of its connectors. What keys with a prefix say goes over the worker's.
func (w *Worker) openKafka(ctx context.Context, prefix string) (*kafka.Client, error) {
	props := map[string]string{}
	for k := range w.props {
		if text, ok := w.props.Text(k); ok && config.ConnectionKey(k) {
			props[k] = text
		}
	}
	if prefix != "" {
		for k, v := range w.props.WithPrefix(prefix) {
			props[k] = fmt.Sprint(v)
		}
	}
	return kafka.Open(ctx, kafka.Options{Bootstrap: w.conf.List("bootstrap.servers"), ClientID: w.conf.String("client.id"), Props: props, Log: w.log})
}

// inCluster says in words what the worker is in its cluster.
func (w *Worker) inCluster() string {
	p, group := w.member.Placement(), w.conf.String("group.id")
	switch {
	case p.Worker == "":
		return "not in the cluster " + group + " yet"
	case p.Leads():
		return "leads the cluster " + group
	}
	return "in the cluster " + group + ", which " + p.LeaderURL + " leads"
}

// join makes the worker a member of its cluster, if it is of one, and calls ready once
// it is.
func (w *Worker) join(ready func()) {
	if w.member == nil {
		ready()
		return
	}
	w.member.Forgotten(w.runtime.Forgotten)
	reassign := func() {
		w.herder.Reassign()
		if w.member.Placement().Worker != "" {
			ready()
		}
	}
	w.member.Join(reassign, func(err error) { w.ended <- fmt.Errorf("the worker's cluster: %w", err) })
}

// hostname gives this machine's name, by which others may know it.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
