// Package connectortest has the suites that every plugin passes, and the parts
// of the runtime that a plugin needs, in memory. Each case of a suite is a
// promise of the contract in package connector; a new plugin's test calls its
// suite with a configuration and what it should see.
package connectortest
