// Package storetest has what every form of a [store.Store] is to pass, and a
// form that works as one on Kafka does.
package storetest
