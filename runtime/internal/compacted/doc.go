// Package compacted has the internal topics of Kafka Connect, in which a cluster
// of workers keeps what is wanted of connectors, their source offsets and their
// statuses. Such a topic is compacted: it holds the newest record of each key. It
// is made with the settings of the worker's keys ([Settings]), read to its end at
// the start, and followed from then on ([Topic]).
package compacted
