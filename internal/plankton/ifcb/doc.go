// Package ifcb reads what an Imaging FlowCytobot leaves behind: the names of its bins, the .adc, .hdr and .roi
// files of both instrument generations, and the zip archives in which dashboards of both generations serve them.
//
// A bin is one sample. Its name is the lid ("D20190728T212639_IFCB104", or "IFCB5_2012_028_081515" of the old
// instruments), a URL that ends in a lid is a pid. A target is one line of the .adc file, numbered from 1; a target
// with an image is an ROI. All times are UTC, whatever zone the host is in.
//
//	bin, err := ifcb.Open("IFCB5_2012_028_081515.adc")
//	defer bin.Close()
//	for _, roi := range bin.Served() { // Raw() for the lines as they stand
//		gray, err := bin.Gray(roi)
//	}
//
// Old cameras (schema 1) cut one particle into two overlapping ROIs on consecutive lines. [Bin.Served] joins such a
// pair as the dashboards do, under the first target's number, and [Bin.Gray] fills the corners neither of them covers
// with one grey value, as dashboards of generation 2 do.
package ifcb
