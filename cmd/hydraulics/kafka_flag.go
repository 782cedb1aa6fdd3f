package main

import (
	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
)

// addKafkaFlag adds the flag of commands that name a broker, not a worker's file.
func addKafkaFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, connection.Flag, "", "file with security.protocol, sasl.* and ssl.* for a broker that wants a login or TLS:\n"+
		"a worker's (YAML, .properties, JSON), or what Kafka's tools take with --command-config")
}
