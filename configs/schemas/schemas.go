// Package schemas holds the Avro schemas of the built-in flows.
package schemas

import "embed"

// Files are the schema files, *.avsc.
//
//go:embed *.avsc
var Files embed.FS
