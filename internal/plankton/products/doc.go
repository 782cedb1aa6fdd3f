// Package products makes the files that dashboards and the tools of the field have of a bin, in folders where a dashboard
// (ifcbdb, by pyifcb's product directories) finds them:
//
//	class_scores/D2019/D20190728/<bin>_class.h5    probabilities of all classes, as ifcb_classifier and ifcb-inference write them
//	class_scores/D2019/D20190728/<bin>_class.csv   the same as a table, as ifcb-inference has it
//	features/D2019/D20190728/<bin>_fea_v4.csv      measures of the images, the columns of ifcb-features 1.3
//	features/D2019/D20190728/multiblob/<bin>_multiblob_v4.csv
//	blobs/D2019/D20190728/<bin>_blobs_v4.zip       a PNG of each image's particle
//
// The folder of a day is named as the instrument does; a dashboard enters only folders whose name is part of the file's.
package products
