// Package dashboard is an IFCB dashboard that needs no installation: an [http.Handler] that serves a folder of raw bins
// with the routes, content types and habits of either dashboard generation (1: the Flask dashboard; 2: ifcbdb), and an
// [Instrument] that fills such a folder with synthetic bins in the real file formats.
//
// The demo and the tests of the IFCB source run against it.
package dashboard
