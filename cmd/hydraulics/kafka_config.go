package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// kafkaFlag is the flag of commands that name a broker, not a worker's file.
const kafkaFlag = "kafka-config"

// addKafkaFlag adds it.
func addKafkaFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, kafkaFlag, "", "file with security.protocol, sasl.* and ssl.* for a broker that wants a login or TLS:\n"+
		"a worker's (YAML, .properties, JSON), or what Kafka's tools take with --command-config")
}

// connectionKeys gives those of a configuration that tell how to connect, over
// them those of the roles that clients have: "consumer.", "producer.".
func connectionKeys(props connector.Props, roles ...string) map[string]string {
	found := map[string]string{}
	for _, role := range append([]string{""}, roles...) {
		of := props.WithPrefix(role)
		for key := range of {
			text, ok := of.Text(key)
			if ok && slices.ContainsFunc([]string{"security.", "sasl.", "ssl."}, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
				found[key] = text
			}
		}
	}
	return found
}

// workerProps gives the worker's keys of a journey, with what their references
// stand for.
func workerProps(j *config.Journey) (connector.Props, error) {
	raw := j.Worker.Props()
	resolver, err := config.NewResolver(raw)
	if err != nil {
		return nil, err
	}
	var from config.Origin
	if len(j.Files) > 0 {
		from.Dir = filepath.Dir(j.Files[0])
	}
	props, err := resolver.Resolve(raw, from)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return props, nil
}

// readKafkaConfig reads the file of --kafka-config; no file has no keys.
func readKafkaConfig(file string) (connector.Props, error) {
	if file == "" {
		return nil, nil
	}
	fail := func(err error) (connector.Props, error) { return nil, fmt.Errorf("--%s: %w", kafkaFlag, err) }
	j, err := config.Read(file)
	if err != nil {
		return fail(err)
	}
	var bad []error
	for _, p := range j.Problems {
		if !p.Warning {
			bad = append(bad, errors.New(p.String()))
		}
	}
	if len(bad) > 0 {
		return fail(errors.Join(bad...))
	}
	props, err := workerProps(j)
	if err != nil {
		return fail(err)
	}
	if len(connectionKeys(props, "consumer.", "producer.", "admin.")) == 0 {
		return fail(fmt.Errorf("%s says nothing about the connection: want security.protocol, and sasl.* or ssl.* keys", file))
	}
	return props, nil
}
