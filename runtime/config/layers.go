package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/knadh/koanf/v2"
)

// envPrefix starts the environment variables that set a worker's keys, as in
// the usual images of Kafka Connect: CONNECT_BOOTSTRAP_SERVERS is
// bootstrap.servers. Two underscores stand for one, three for a hyphen.
const envPrefix = "CONNECT_"

// delimiter is what no key contains: koanf would take keys apart at a dot, and
// value.converter beside value.converter.subject would be lost.
const delimiter = "\x00"

// layer is a list as a koanf provider.
type layer List

// ReadBytes is for files that koanf parses; ours are read already.
func (layer) ReadBytes() ([]byte, error) { return nil, fmt.Errorf("a layer has no bytes") }

// Read gives the layer's entries by key.
func (l layer) Read() (map[string]any, error) {
	m := make(map[string]any, len(l))
	for _, e := range l {
		m[e.Key] = e
	}
	return m, nil
}

// layered merges lists: a later one wins. The order is that of the first list
// which has a key.
func layered(lists ...List) (List, error) {
	k := koanf.New(delimiter)
	var order []string
	for _, l := range lists {
		if err := k.Load(layer(l), nil); err != nil {
			return nil, fmt.Errorf("configuration layers: %w", err)
		}
		for _, e := range l {
			if !slices.Contains(order, e.Key) {
				order = append(order, e.Key)
			}
		}
	}
	merged := make(List, 0, len(order))
	for _, key := range order {
		e, ok := k.Get(key).(Entry)
		if !ok {
			return nil, fmt.Errorf("configuration layers: key %q is lost", key)
		}
		merged = append(merged, e)
	}
	return merged, nil
}

// Variables of Strimzi's image: the worker's file as a text, and what is added to it.
const (
	envConfiguration = "KAFKA_CONNECT_CONFIGURATION"
	envBootstrap     = "KAFKA_CONNECT_BOOTSTRAP_SERVERS"
)

// envLayers gives the worker's keys that the environment sets, in the form of
// os.Environ: a layer for each of Strimzi's variables, then CONNECT_*.
func envLayers(environ []string) ([]List, error) {
	var file, servers, single List
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		switch rest, ok := strings.CutPrefix(name, envPrefix); {
		case ok && rest != "":
			key := strings.NewReplacer("___", "-", "__", "_", "_", ".").Replace(strings.ToLower(rest))
			single = append(single, Entry{Key: key, Text: text, File: "$" + name})
		case name == javaOptions:
			single = append(single, loginFile(text)...)
		case name == envBootstrap:
			servers = List{{Key: "bootstrap.servers", Text: text, File: "$" + name}}
		case name == envConfiguration:
			var err error
			if file, err = parseProperties("$"+name, []byte(text)); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(single, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return []List{servers, file, single}, nil
}

// javaOptions is the variable that Kafka's scripts hand to Java.
const javaOptions = "KAFKA_OPTS"

// loginFile gives the key that -Djava.security.auth.login.config=FILE stands for.
func loginFile(options string) (list List) {
	const key = "java.security.auth.login.config"
	for _, option := range strings.Fields(options) {
		if file, ok := strings.CutPrefix(option, "-D"+key+"="); ok {
			list = List{{Key: key, Text: file, File: "$" + javaOptions}}
		}
	}
	return list
}

// ApplyEnv lays the environment over a setup's worker.
func (s *Setup) ApplyEnv(environ []string) error {
	layers, err := envLayers(environ)
	if err != nil {
		return err
	}
	s.Worker, err = layered(append([]List{s.Worker}, layers...)...)
	return err
}

// Set lays "key=value" over the worker, "connectors.NAME.key=value" over a
// connector of the setup.
func (s *Setup) Set(assignment string) error {
	key, text, ok := strings.Cut(assignment, "=")
	if !ok || key == "" {
		return fmt.Errorf("--set %s: want key=value, or connectors.NAME.key=value", assignment)
	}
	to, name := &s.Worker, ""
	if rest, ok := strings.CutPrefix(key, "connectors."); ok {
		for i, c := range s.Connectors {
			if sub, ok := strings.CutPrefix(rest, c.Name+"."); ok && sub != "" && len(c.Name) >= len(name) {
				to, key, name = &s.Connectors[i].Entries, sub, c.Name
			}
		}
		if name == "" {
			return fmt.Errorf("--set %s: no file has such a connector", assignment)
		}
	}
	merged, err := layered(*to, List{{Key: key, Text: text, File: "--set"}})
	if err == nil {
		*to = merged
	}
	return err
}
