// Package ifcbquality checks records of IFCB bins and images, and adds what it finds:
//
//	quality          string, null   pass or fail; null for a bin that was left out, of which nothing is known
//	quality_reasons  string, null   why it is fail, with semicolons between
//
// Each record is checked by the fields that it has, so that one configuration serves the topics of images and of bins
// alike: volume, run time, kind of run, the instrument's humidity and temperature, its clock, on a bin's record also
// images that could not be had, on an image's also contrast and focus. A field that is there and null fails only where it
// is needed: the volume. What a site calls good is its thresholds'; nothing is dropped unless on.fail says so.
package ifcbquality
