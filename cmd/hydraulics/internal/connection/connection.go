// Package connection is how commands get at the broker that they are told: where they run a flow as its worker does, and
// where they are given an address and the file of --kafka-config.
package connection

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Flag is the flag of commands that name a broker, not a worker's file.
const Flag = "kafka-config"

// Keys gives those of a configuration that tell how to connect, over
// them those of the roles that clients have: "consumer.", "producer.".
func Keys(props connector.Props, roles ...string) map[string]string {
	found := map[string]string{}
	for _, role := range append([]string{""}, roles...) {
		of := props.WithPrefix(role)
		for key := range of {
			text, ok := of.Text(key)
			if ok && config.ConnectionKey(key) {
				found[key] = text
			}
		}
	}
	return found
}

// WorkerProps gives the worker's keys of configuration files, with what their references
// stand for.
func WorkerProps(s *config.Setup) (connector.Props, error) {
	raw := s.Worker.Props()
	resolver, err := config.NewResolver(raw)
	if err != nil {
		return nil, err
	}
	var from config.Origin
	if len(s.Files) > 0 {
		from.Dir = filepath.Dir(s.Files[0])
	}
	props, err := resolver.Resolve(raw, from)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return props, nil
}

// Read reads the file of --kafka-config, which has to say how to connect; no file has
// no keys.
func Read(file string) (connector.Props, error) {
	props, err := ReadAny(file)
	if err == nil && file != "" && len(Keys(props, "consumer.", "producer.", "admin.")) == 0 {
		err = fmt.Errorf("--%s: %s says nothing about the connection: want security.protocol, and sasl.* or ssl.* keys", Flag, file)
	}
	return props, err
}

// ReadAny is Read of a file that may say other things alone, such as converters.
func ReadAny(file string) (connector.Props, error) {
	if file == "" {
		return nil, nil
	}
	return readFile(Flag, file)
}

// DashboardFlag is the flag of commands that name a dashboard, not a worker's file.
const DashboardFlag = "dashboard-config"

// ReadDashboard reads the file of --dashboard-config: the keys of the source ifcb that tell how a dashboard is reached.
// No file has none.
func ReadDashboard(file string) (connector.Props, error) {
	if file == "" {
		return nil, nil
	}
	all, err := readFile(DashboardFlag, file)
	if err != nil {
		return nil, err
	}
	props := connector.Props{}
	for _, key := range dashboard.AccessKeys() {
		if v, ok := all[key.Name]; ok {
			props[key.Name] = v
		}
	}
	if len(props) == 0 {
		return nil, fmt.Errorf("--%s: %s says nothing about a dashboard: want auth.type and what belongs to it, tls.ca.file, proxy.url or redirect.hosts", DashboardFlag, file)
	}
	return props, nil
}

// readFile reads a flag's file: a worker's, or one of keys.
func readFile(flag, file string) (connector.Props, error) {
	fail := func(err error) (connector.Props, error) { return nil, fmt.Errorf("--%s: %w", flag, err) }
	s, err := config.Read(file)
	if err != nil {
		return fail(err)
	}
	var bad []error
	for _, p := range s.Problems {
		if !p.Warning {
			bad = append(bad, errors.New(p.String()))
		}
	}
	if len(bad) > 0 {
		return fail(errors.Join(bad...))
	}
	props, err := WorkerProps(s)
	if err != nil {
		return fail(err)
	}
	return props, nil
}
