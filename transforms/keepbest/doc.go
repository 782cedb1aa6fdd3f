// Package keepbest gives each record the best classification known for its
// image, as the original system did: an image that is classified again, by
// another model or because a dashboard was read twice, keeps the classification
// with the highest score ever; of two equal ones the first.
//
// That is the policy keep-best. With latest the classification that was made
// last counts: every record passes as it is, and the last one wins in the table.
// With per-model each model's best is kept, for a table whose key has the
// classifier. So a better model can be seen beside the old one, or replace it
// where the old one was surer of itself.
//
// What is kept lives in a store of the task's partition, as JSON: the score and
// the kept fields with their types, and the headers that say where they are from. It is a maximum, so a record that is
// processed twice changes nothing.
package keepbest
