// Package registry talks to a schema registry with Confluent's HTTP API through
// srclient, of which it is the only importer. It adds what a worker needs: a
// context for every call, several addresses, TLS, caches of its own and errors
// that say whether trying again may help.
package registry
