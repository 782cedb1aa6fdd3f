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

// addDashboardFlag adds the flag of commands that name a dashboard, not a worker's file.
func addDashboardFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, connection.DashboardFlag, "", "file with auth.*, tls.ca.file, proxy.url and redirect.hosts, the source's keys, for a dashboard that wants a\n"+
		"login, has a certificate of its own or is behind a proxy (YAML below worker, .properties, JSON)")
}
