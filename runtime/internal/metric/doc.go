// Package metric shows what connectors and tasks do to Prometheus. It reads the
// herder's snapshots when it is asked, so that counting costs a task nothing.
//
// Names that start with kafka_connect_ are Kafka Connect's JMX names as the
// usual exporter's rules spell them; times among them are in milliseconds.
// Names that start with hydraulics_ are ours, in base units. What plugins
// count themselves has the plugin's names. All have labels connector and task.
package metric
