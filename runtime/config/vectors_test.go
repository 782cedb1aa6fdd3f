package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	_ "github.com/axiom-data-science/hydraulics/converter/json"
	_ "github.com/axiom-data-science/hydraulics/converter/primitive"
	_ "github.com/axiom-data-science/hydraulics/converter/simpleheader"
	"github.com/axiom-data-science/hydraulics/internal/test/javavectors"
	_ "github.com/axiom-data-science/hydraulics/transforms/predicate"
	_ "github.com/axiom-data-science/hydraulics/transforms/smt"
)

// heartbeat stands for the connector that the recordings name.
type heartbeat struct{ connector.Source }

func (heartbeat) Info() connector.Info {
	return connector.Info{Name: "heartbeat", Version: "4.3.1", Class: "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector"}
}
func (heartbeat) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

type heartbeatSink struct {
	heartbeat
	connector.Sink
}

func (h heartbeatSink) Info() connector.Info            { return h.heartbeat.Info() }
func (h heartbeatSink) ConfigDef() *connector.ConfigDef { return h.heartbeat.ConfigDef() }

// registryOf has the process's plugins but for connectors, of which it has
// the recorded one as a source or a sink.
func registryOf(kind string) *connector.Registry {
	r := new(connector.Registry)
	for _, t := range []connector.PluginType{connector.TransformType, connector.PredicateType, connector.ConverterType, connector.HeaderConverterType} {
		for _, i := range connector.Plugins.List(t) {
			r.Add(t, func() connector.Plugin {
				p, err := connector.Plugins.New(t, i.Name)
				if err != nil {
					panic(err)
				}
				return p
			})
		}
	}
	if kind == "sink" {
		r.Add(connector.SinkType, func() connector.Plugin { return heartbeatSink{} })
	} else {
		r.Add(connector.SourceType, func() connector.Plugin { return heartbeat{} })
	}
	return r
}

// Clauses: A21, B6, B7, B9.
func TestConnectorConfigVectors(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		var in struct {
			Kind  string
			Props connector.Props
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		w, err := (&Validator{Plugins: registryOf(in.Kind)}).definitions(in.Props, Origin{})
		if _, ok := errors.AsType[*classError](err); err != nil && !ok {
			return err
		}
		withoutVersions(w.report)
		return sameReport(c, w.report, in.Kind == "connector-enriched")
	}, "connector-config.validate")
}

// withoutVersions drops what is said of the versions of connector and converters: in
// Java the herder looks at them, after the definitions that were recorded.
func withoutVersions(r *Report) {
	for i, k := range r.Checks {
		if !strings.HasPrefix(k.Def.Name, "transforms.") && !strings.HasPrefix(k.Def.Name, "predicates.") {
			r.Checks[i].Value.Errors = slices.DeleteFunc(k.Value.Errors, func(text string) bool { return strings.Contains(text, otherVersion) })
		}
	}
}

// sameReport compares what is said of the keys; those of transforms and
// predicates where they were recorded.
func sameReport(c javavectors.Case, report *Report, chained bool) error {
	var want []struct {
		Name   string
		Value  json.RawMessage
		Errors []string
	}
	if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
		return err
	}
	named := map[string]bool{}
	for _, w := range want {
		named[w.Name] = true
		i := slices.IndexFunc(report.Checks, func(k Check) bool { return k.Def.Name == w.Name })
		if i < 0 {
			return fmt.Errorf("no key %s", w.Name)
		}
		got := report.Checks[i].Value
		if !slices.EqualFunc(got.Errors, w.Errors, javavectors.SameText) {
			return fmt.Errorf("%s says %q, want %q", w.Name, got.Errors, w.Errors)
		}
		if value, err := javavectors.Value(nil, w.Value); err != nil || !sameValue(got.Value, value) {
			return fmt.Errorf("%s is %#v, want %#v (%w)", w.Name, got.Value, value, err)
		}
	}
	for _, k := range report.Checks {
		if !chained && (strings.HasPrefix(k.Def.Name, "transforms.") || strings.HasPrefix(k.Def.Name, "predicates.")) {
			continue
		}
		if !named[k.Def.Name] && len(k.Value.Errors) > 0 {
			return fmt.Errorf("%s says %q, want nothing", k.Def.Name, k.Value.Errors)
		}
	}
	return nil
}

func sameValue(got, want any) bool {
	if list, ok := want.([]any); ok {
		return fmt.Sprint(got) == fmt.Sprint(list)
	}
	return connector.ValuesEqual(got, want)
}

// Clauses: E1.
func TestConfigTransformerVectors(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		var in struct {
			Data  map[string]map[string]map[string]string
			Props connector.Props
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		r := &Resolver{providers: map[string]provider{}}
		for name, paths := range in.Data {
			r.providers[name] = provider{lookup: func(path, key string) (string, error) {
				v, ok := paths[path][key]
				if !ok {
					return "", os.ErrNotExist
				}
				return v, nil
			}}
		}
		got, references, problems := r.resolve(in.Props, Origin{Dir: ""})
		var want connector.Props
		if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
			return err
		}
		for k, v := range want {
			if got[k] != v {
				return fmt.Errorf("%q is %q, want %q", k, got[k], v)
			}
		}
		return leftAndSaid(r, in.Props, references, problems)
	}, "config-transformer")
}

// leftAndSaid tells whether each reference without a value, which Kafka Connect
// leaves as it is without a word, was said to have none.
func leftAndSaid(r *Resolver, props connector.Props, references map[string]string, said *connector.Problems) error {
	for key, v := range props {
		text, _ := v.(string)
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			_, found := references[m[0]]
			if _, there := r.providers[m[1]]; !there || found {
				continue
			}
			if !slices.ContainsFunc(said.List(), func(p connector.Problem) bool { return p.Key == key && strings.Contains(p.Message, m[0]) }) {
				return fmt.Errorf("%s is left, and nothing said of it", m[0])
			}
		}
	}
	return nil
}

// Clauses: E2.
func TestEnvProviderVectors(t *testing.T) {
	javavectors.Replay(t, func(t *testing.T, c javavectors.Case) error {
		var in struct {
			Env  map[string]string
			Path *string
			Keys []string
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		p, err := newProvider("env", c.Config)
		if c.Expect.Error != nil && err != nil {
			return c.Expect.Error.CheckError(err)
		}
		if err != nil {
			return err
		}
		var want map[string]string
		if c.Expect.Error == nil {
			if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
				return err
			}
		}
		for k, v := range in.Env {
			if k != "" {
				t.Setenv(k, v)
			}
		}
		path := ""
		if in.Path != nil {
			path = *in.Path
		}
		for _, k := range in.Keys {
			got, err := p.lookup(path, k)
			if v, ok := want[k]; ok && (err != nil || got != v) || !ok && err == nil {
				return fmt.Errorf("%s is %q, %w, want %q", k, got, err, v)
			}
		}
		return nil
	}, "env-config-provider")
}

// Clauses: B7, E5.
func TestOverridePolicyVectors(t *testing.T) {
	javavectors.Replay(t, func(_ *testing.T, c javavectors.Case) error {
		var in struct {
			Policy, Client string
			Overrides      connector.Props
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			return err
		}
		if c.Expect.Error != nil {
			_, err := WorkerDef().Parse(c.Config)
			return c.Expect.Error.CheckError(err)
		}
		var want []struct {
			Name   string
			Errors []string
		}
		if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
			return err
		}
		worker := c.Config.Clone()
		if worker == nil {
			worker = connector.Props{}
		}
		worker["connector.client.config.override.policy"] = in.Policy
		prefix := strings.ToLower(in.Client) + ".override."
		props := connector.Props{"name": "c", "connector.class": "heartbeat"}
		for k, v := range in.Overrides {
			props[prefix+k] = v
		}
		found, err := (&Validator{Plugins: registryOf("source"), Worker: worker}).definitions(props, Origin{})
		if err != nil {
			return err
		}
		for _, w := range want {
			c := found.check(prefix + w.Name)
			if c == nil || !slices.Equal(c.Value.Errors, w.Errors) {
				return fmt.Errorf("%s does not say %q", w.Name, w.Errors)
			}
		}
		return nil
	}, "override-policy")
}
