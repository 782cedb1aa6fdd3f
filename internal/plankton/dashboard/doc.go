// Package dashboard is a client of IFCB dashboards of both generations: it lists the bins of a dataset, says what the
// dashboard knows of each, and reads their images.
//
//	client := dashboard.NewClient(dashboard.Options{})
//	defer client.Close()
//	data, err := dashboard.Detect(ctx, client, address, "auto")
//	bins, err := data.Bins(ctx, from, until)
//	bin, err := data.Open(ctx, bins[0], dashboard.OpenOptions{MaxZip: 4 << 30, Log: slog.Default()})
//	png, width, height, err := bin.Image(ctx, bin.Numbers[0])
//
// Errors of the environment are marked retriable, those of a deployment fatal; an unmarked one is of the bin or image
// asked for alone.
package dashboard
