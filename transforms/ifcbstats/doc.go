// Package ifcbstats gives the records of the topic ifcb-sample-stats their form:
// ten fields and a key of bin and ROI, as the original system had them.
package ifcbstats
