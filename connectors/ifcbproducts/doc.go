// Package ifcbproducts writes the files that dashboards and the tools of the field have of an IFCB's bins, from records of
// images: class scores, features and blobs, in folders that a dashboard serves.
//
// A bin's images come in any order, in parts and again. Each flush puts what is new over what the bin's files have, one
// file after the other, and each is replaced as a whole. So tasks of one connector may share a bin, and another process may
// read at any time. A lock on the folder keeps writers on one machine apart.
package ifcbproducts
