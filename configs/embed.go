// Package configs has the configurations, schemas, lists and the demo's model
// that are part of hydraulics. They are files in this folder, and in the binary.
package configs

import "embed"

// FS holds the folders as they are. A relative path in a configuration that is
// not beside the file that names it is looked for here.
//
//go:embed connectors demo ifcb migrations worker
var FS embed.FS
