// Package status keeps what the connectors and tasks of a cluster of workers are
// doing, and the topics that they use, in the status topic of Kafka Connect
// ([Kafka]): every worker writes of its own, and knows of all.
package status
