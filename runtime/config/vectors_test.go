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

// differs says why hydraulics answers another way on purpose.
func differs(c javavectors.Case, key string) string {
	text := string(c.Input)
	switch {
	case strings.Contains(text, "java.lang.String"), strings.Contains(text, "storage.Converter\""):
		return "a class that is no plugin is one that is not there: there are no Java classes"
	case strings.Contains(text, `connect.transforms.Cast"`), c.Note == "smt abstract":
		return "a class that cannot be made is one that is not there"
	case c.Note == "predicate unknown" && strings.HasSuffix(key, ".predicate"):
		return "Java finds out about a missing predicate when the task starts"
	case c.Note == "smt bad value":
		return "the words after it name Java's exception"
	case c.Note == "bad regex":
		return "the words after it are those of Java's regex parser"
	}
	return ""
}

func TestConnectorConfigVectors(t *testing.T) {
	for _, c := range javavectors.Load(t, "connector-config-validate.jsonl", "connector-config.validate") {
		t.Run(c.ID, func(t *testing.T) {
			var in struct {
				Kind  string
				Props connector.Props
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				t.Fatal(err)
			}
			var want []struct {
				Name   string
				Value  json.RawMessage
				Errors []string
			}
			if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
				t.Fatal(err)
			}
			if name := missing(in.Props); name != "" {
				t.Skip("there is no " + name + " here")
			}
			v := &Validator{Plugins: registryOf(in.Kind)}
			report, err := v.Validate(in.Props, Origin{})
			if _, ok := errors.AsType[*classError](err); err != nil && !ok {
				t.Fatal(err)
			}
			named := map[string]bool{}
			for _, w := range want {
				named[w.Name] = true
				i := slices.IndexFunc(report.Checks, func(k Check) bool { return k.Def.Name == w.Name })
				if i < 0 {
					t.Errorf("%s: no key %s", c.Note, w.Name)
					continue
				}
				got := report.Checks[i].Value
				if why := differs(c, w.Name); why != "" {
					if (len(got.Errors) > 0) != (len(w.Errors) > 0) && c.Note != "predicate unknown" {
						t.Errorf("%s: %s says %q, want %q", c.Note, w.Name, got.Errors, w.Errors)
					}
					continue
				}
				if !slices.Equal(got.Errors, w.Errors) {
					t.Errorf("%s: %s says %q, want %q", c.Note, w.Name, got.Errors, w.Errors)
				}
				if value, err := javavectors.Value(nil, w.Value); err != nil || !sameValue(got.Value, value) {
					t.Errorf("%s: %s is %#v, want %#v (%v)", c.Note, w.Name, got.Value, value, err)
				}
			}
			for _, k := range report.Checks {
				chained := strings.HasPrefix(k.Def.Name, "transforms.") || strings.HasPrefix(k.Def.Name, "predicates.")
				if in.Kind != "connector-enriched" && chained {
					continue // the recording is of the framework's keys alone
				}
				if !named[k.Def.Name] && len(k.Value.Errors) > 0 {
					t.Errorf("%s: %s says %q, want nothing", c.Note, k.Def.Name, k.Value.Errors)
				}
			}
		})
	}
}

// missing gives a plugin of Kafka Connect that a case uses and hydraulics lacks.
func missing(props connector.Props) string {
	for key, t := range map[string]connector.PluginType{"header.converter": connector.HeaderConverterType, "predicates.p.type": connector.PredicateType,
		"transforms.x.type": connector.TransformType} {
		name, ok := props.Text(key)
		_, known := connector.Plugins.Lookup(t, name)
		if ok && !known && slices.ContainsFunc([]string{"SimpleHeader", "HasHeaderKey", "Cast$"}, func(s string) bool { return strings.Contains(name, s) }) {
			return name
		}
	}
	return ""
}

func sameValue(got, want any) bool {
	if list, ok := want.([]any); ok {
		return fmt.Sprint(got) == fmt.Sprint(list)
	}
	return connector.ValuesEqual(got, want)
}

// transformed is a recorded set of providers.
type transformed struct {
	Data  map[string]map[string]map[string]string
	Props connector.Props
}

func TestConfigTransformerVectors(t *testing.T) {
	for _, c := range javavectors.Load(t, "config-transformer.jsonl", "config-transformer") {
		t.Run(c.ID, func(t *testing.T) {
			var in transformed
			if err := json.Unmarshal(c.Input, &in); err != nil {
				t.Fatal(err)
			}
			missing := false
			r := &Resolver{providers: map[string]provider{}}
			for name, paths := range in.Data {
				r.providers[name] = func(path, key string) (string, error) {
					v, ok := paths[path][key]
					if !ok {
						missing = true
						return "", os.ErrNotExist
					}
					return v, nil
				}
			}
			got, err := r.Resolve(in.Props, Origin{Dir: ""})
			if missing {
				if err == nil {
					t.Error("a reference without a value is no error")
				}
				return // Java leaves the reference as the value
			}
			if err != nil {
				t.Fatal(err)
			}
			var want connector.Props
			if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
				t.Fatal(err)
			}
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s: %q is %q, want %q", c.Input, k, got[k], v)
				}
			}
		})
	}
}

func TestEnvProviderVectors(t *testing.T) {
	for _, c := range javavectors.Load(t, "env-config-provider.jsonl", "env-config-provider") {
		t.Run(c.ID, func(t *testing.T) {
			var in struct {
				Env  map[string]string
				Path *string
				Keys []string
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				t.Fatal(err)
			}
			p, err := newProvider("env", c.Config)
			if err != nil {
				if c.Expect.Error == nil {
					t.Error(err)
				}
				return
			}
			var want map[string]string
			if c.Expect.Error == nil {
				if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
					t.Fatal(err)
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
				got, err := p(path, k)
				if v, ok := want[k]; ok && (err != nil || got != v) || !ok && err == nil {
					t.Errorf("%s: %s is %q, %v, want %q", c.Input, k, got, err, v)
				}
			}
		})
	}
}

func TestOverridePolicyVectors(t *testing.T) {
	for _, c := range javavectors.Load(t, "override-policy.jsonl", "override-policy") {
		t.Run(c.ID, func(t *testing.T) {
			var in struct {
				Policy, Client string
				Overrides      connector.Props
			}
			if err := json.Unmarshal(c.Input, &in); err != nil {
				t.Fatal(err)
			}
			var want []struct {
				Name   string
				Errors []string
			}
			if c.Expect.Error != nil {
				_, err := WorkerDef().Parse(c.Config)
				if err := c.Expect.Error.CheckError(err); err != nil {
					t.Errorf("%v: %v", c.Config, err)
				}
				return
			}
			if err := json.Unmarshal(c.Expect.Output, &want); err != nil {
				t.Fatal(err)
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
			report, err := (&Validator{Plugins: registryOf("source"), Worker: worker}).Validate(props, Origin{})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				i := slices.IndexFunc(report.Checks, func(k Check) bool { return k.Def.Name == prefix+w.Name })
				if i < 0 || !slices.Equal(report.Checks[i].Value.Errors, w.Errors) {
					t.Errorf("%s: %s, want %q", c.Input, w.Name, w.Errors)
				}
			}
		})
	}
}
