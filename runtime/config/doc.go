// Package config reads configurations and says what is wrong with them.
//
// A configuration is an ordered flat list of key, text and line, whatever the
// file it was written in: YAML, Java properties or JSON. The keys are Kafka
// Connect's. The definitions of the framework's own keys, sources, sinks,
// streams and workers ([Def], [WorkerDef]) are the single truth for parsing,
// validation, the REST API and the generated reference; [Validator] adds the
// keys of a connector's plugins to them.
//
// Secrets written as ${env:..}, ${file:..:..} and ${dir:..:..} are put in
// by [Resolver], as late as possible: what is stored, shown and logged is the
// reference.
//
// Nothing of it is promised to those outside the module.
package config
