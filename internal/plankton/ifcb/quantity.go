package ifcb

import (
	"math"
	"slices"
)

// Quantity is what a number of a header or dashboard is of: it tells a value from one that cannot be, or that stands for
// "unknown".
type Quantity struct{ least, most float64 }

// The quantities that headers and dashboards tell. Sensors of the instrument's inside have a little room for their drift.
var (
	Latitude    = Quantity{-90, 90}     // degrees north
	Longitude   = Quantity{-180, 180}   // degrees east
	Depth       = Quantity{-100, 11000} // m
	Temperature = Quantity{-60, 100}    // °C
	Humidity    = Quantity{-20, 120}    // %
	RunTime     = Quantity{0, 86400}    // s
)

// fills are the numbers that stand for "unknown" at dashboards and in what they export.
var fills = []float64{-9999999, -999999, -99999, -9999, -999}

// Known tells whether v is a value of the quantity.
func (q Quantity) Known(v float64) bool {
	return !math.IsNaN(v) && v >= q.least && v <= q.most && !slices.Contains(fills, v)
}

// KnownPosition tells whether a latitude and a longitude are a position; 0, 0 is none.
func KnownPosition(latitude, longitude float64) bool {
	return Latitude.Known(latitude) && Longitude.Known(longitude) && (latitude != 0 || longitude != 0)
}
