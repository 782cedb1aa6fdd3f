// Package primitive has the converters of single values: strings, bytes, numbers
// and booleans, in Kafka's serialised forms.
package primitive
