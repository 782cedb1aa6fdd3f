package ifcb

// What can become of a bin whose images are published, as its record says.
const (
	BinComplete = "complete" // all images were given
	BinPartial  = "partial"  // some were not, or the bin's table breaks off
	BinFailed   = "failed"   // none were, although there are some or may be
	BinEmpty    = "empty"    // it has none
	BinSkipped  = "skipped"  // it was left out because the dashboard flags it
)
