// Package ifcb is the source of Imaging FlowCytobot images: it asks a dashboard, of either generation, for bins and gives
// one record per image.
//
// What was done is one ledger per dataset (see ledger): it travels with the records as their source offset, so that a
// restart goes on behind the last image that is safely in Kafka, in whatever order the bins were taken.
package ifcb
