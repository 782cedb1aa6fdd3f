// Package ifcb is the source of Imaging FlowCytobot images: it takes bins from a dashboard, of either generation, or from a
// folder of raw files, and gives one record per image. internal/plankton/dashboard talks to dashboards.
//
// What was done is one ledger per dataset (see ledger): it travels with the records as their source offset, so that a
// restart goes on behind the last image that is safely in Kafka, in whatever order the bins were taken.
package ifcb
