// Package values guesses what a text means and converts values, as Kafka
// Connect's Values does for header values: 12 is an int8, [1,2] an array, a
// date a Date. What it makes of a text is not always what was written as one.
package values
