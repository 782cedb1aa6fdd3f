// Package loggers gives each package that logs a level of its own, which can be
// changed while the program runs, as Kafka Connect does with loggers.
//
// A logger is a Go package: hydraulics.runtime.herder, or one of another module
// by its path with dots. What a record was logged by its own source position
// tells, so that nobody who logs has to name himself. Loggers that users of Kafka
// Connect know are there by their Java names (java.txt); setting one sets the
// packages that do its work here. Names are nested at their dots, and root is
// above all: of the settings that cover a logger the last one counts.
package loggers
