// Package keepbest gives each record the best classification known for its
// image, as the original system did: an image that is classified again, by
// another model or because a dashboard was read twice, keeps the classification
// with the highest score ever; of two equal ones the first.
//
// What is kept lives in a store of the task's partition, as JSON: the score and
// the kept fields with their types. It is a maximum, so a record that is
// processed twice changes nothing.
package keepbest
