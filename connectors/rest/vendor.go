package rest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

var (
	_ connector.Sink      = (*vendorSink)(nil)
	_ connector.Batcher   = (*vendorSink)(nil)
	_ connector.Validator = (*vendorSink)(nil)
	_ connector.Checker   = (*vendorSink)(nil)
)

func init() {
	for _, v := range []*vendor{aiven, confluent} {
		connector.RegisterSink(func() connector.Sink { return &vendorSink{vendor: v} })
	}
}

// vendor is a connector of others whose files run as they are.
type vendor struct {
	info connector.Info
	keys []theirKey
	// props adds what is no other name of a key.
	props func(conf connector.Config, p connector.Props)
}

// theirKey is a key of the vendor's with ours for it: empty for one that props
// translates or that is without effect.
type theirKey struct {
	connector.Key
	ours string
}

// ownKeys are those of ours that the vendors' names have, too.
var ownKeys = []string{"batch.linger.ms", "batch.max.bytes", "max.in.flight.requests", "idempotency.header", "redirects.follow", "redirects.hosts",
	"private.addresses", "tls.ca.file", "trim.sensitive.log", "report.topic", "report.errors.topic"}

// withOwn adds ownKeys to a vendor's, but for those that a key of the vendor's
// becomes.
func withOwn(theirs ...theirKey) []theirKey {
	def := configDef()
	for _, name := range ownKeys {
		if slices.ContainsFunc(theirs, func(k theirKey) bool { return k.ours == name }) {
			continue
		}
		k, _ := def.Key(name)
		k.Extension = true
		theirs = append(theirs, theirKey{k, name})
	}
	return theirs
}

// vendorSink is the sink with the keys of a vendor's.
type vendorSink struct {
	Sink
	vendor *vendor
}

// Info describes the plugin.
func (s *vendorSink) Info() connector.Info { return s.vendor.info }

// ConfigDef gives the vendor's keys.
func (s *vendorSink) ConfigDef() *connector.ConfigDef {
	keys := make([]connector.Key, len(s.vendor.keys))
	for i, k := range s.vendor.keys {
		keys[i] = k.Key
	}
	return connector.NewConfigDef(keys...)
}

// own gives a configuration in the sink's own keys, and what is wrong with it.
func (s *vendorSink) own(conf connector.Config) (connector.Config, *connector.Problems) {
	p := conf.Props().Clone()
	def := configDef()
	for _, k := range def.Keys() {
		delete(p, k.Name)
	}
	for _, k := range s.vendor.keys {
		delete(p, k.Name)
	}
	for _, k := range s.vendor.keys {
		if v := written(conf.Value(k.Name)); k.ours != "" && v != nil {
			p[k.ours] = v
		}
	}
	s.vendor.props(conf, p)
	return def.Check(p)
}

// written gives a value as a configuration has it, nil for none.
func written(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []string:
		return v
	case connector.Password:
		return written(v.Secret())
	case string:
		if v == "" {
			return nil
		}
	}
	return fmt.Sprint(v)
}

// Validate finds what the sink has against the keys together.
func (s *vendorSink) Validate(conf connector.Config, p *connector.Problems) {
	own, wrong := s.own(conf)
	s.Sink.Validate(own, wrong)
	for _, x := range wrong.List() {
		key := x.Key
		if i := slices.IndexFunc(s.vendor.keys, func(k theirKey) bool { return k.ours == key }); i >= 0 {
			key = s.vendor.keys[i].Name
		}
		if !slices.ContainsFunc(p.List(), func(said connector.Problem) bool { return said.Key == key }) {
			p.Add(key, "%s", s.inTheirs(x.Message))
		}
	}
}

// inTheirs puts the vendor's keys into a message of the sink's.
func (s *vendorSink) inTheirs(message string) string {
	var pairs []string
	for _, k := range s.vendor.keys {
		if k.ours != "" && k.ours != k.Name && strings.Contains(k.ours, ".") {
			pairs = append(pairs, k.ours, k.Name)
		}
	}
	return strings.NewReplacer(pairs...).Replace(message)
}

// Publishes tells that answers go to a topic.
func (s *vendorSink) Publishes(conf connector.Config) bool {
	own, _ := s.own(conf)
	return s.Sink.Publishes(own)
}

// Topics names the topics that answers go to.
func (s *vendorSink) Topics(c connector.Context, conf connector.Config) []string {
	own, _ := s.own(conf)
	return s.Sink.Topics(c, own)
}

// Start begins with the sink's own keys.
func (s *vendorSink) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	own, err := s.begin(&c, conf)
	if err != nil {
		return err
	}
	return s.Sink.Start(ctx, c, own)
}

// Preview shows the requests, with the sink's own keys.
func (s *vendorSink) Preview(ctx context.Context, c connector.Context, conf connector.Config, records []connector.Record) error {
	own, err := s.begin(&c, conf)
	if err != nil {
		return err
	}
	return s.Sink.Preview(ctx, c, own, records)
}

// Check asks the service, with the sink's own keys.
func (s *vendorSink) Check(ctx context.Context, c connector.Context, conf connector.Config, found func(connector.Finding)) {
	own, err := s.begin(&c, conf)
	if err != nil {
		found(connector.Finding{What: webService, Err: connector.Coded("H1009", err)})
		return
	}
	s.Sink.Check(ctx, c, own, found)
}

// begin gives a configuration in the sink's own keys, as it is by now, too.
func (s *vendorSink) begin(c *connector.Context, conf connector.Config) (connector.Config, error) {
	if configs := c.Configs; configs != nil {
		c.Configs = func() (connector.Config, error) {
			conf, err := configs()
			if err != nil {
				return conf, err
			}
			own, wrong := s.own(conf)
			return own, wrong.Err()
		}
	}
	own, wrong := s.own(conf)
	return own, wrong.Err()
}
