// Package race tells tests whether the race detector watches, which makes
// arithmetic 10 to 30 times as slow: they do less of it then.
package race
