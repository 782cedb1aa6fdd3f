// Package page serves a web page that shows what a worker does: connectors,
// tasks, rates, lag and the last error in plain words, and the newest records
// of streams with their pictures. It shows and changes nothing; changes go
// through the REST API.
//
// Nothing of it is promised to those outside the module.
package page
