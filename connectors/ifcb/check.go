package ifcb

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/disk"
)

var (
	_ connector.Checker    = (*Source)(nil)
	_ connector.TopicNamer = (*Source)(nil)
)

// Topics names the topic that tells of bins.
func (s *Source) Topics(_ connector.Context, conf connector.Config) []string {
	o, err := newOptions(conf)
	if err != nil { // which is said elsewhere
		return nil
	}
	return []string{o.binsTopic}
}

// Check asks the dashboard for the newest bins of each dataset, or looks whether the
// folder may be read.
func (s *Source) Check(ctx context.Context, c connector.Context, conf connector.Config, found func(connector.Finding)) {
	if dir := conf.String("folder"); dir != "" {
		found(disk.ToRead("folder", dir))
		return
	}
	f := connector.Finding{What: "dashboard " + hostOf(conf.String("dashboard.url"))}
	if slices.Contains(conf.List("datasets"), everything) {
		names, err := allDatasets(ctx, conf)
		f.Says, f.Err = fmt.Sprintf("it answers, datasets: %d", len(names)), err
		found(f)
		return
	}
	o, err := newOptions(conf)
	if err != nil {
		f.Err = connector.Coded("H1009", err)
		found(f)
		return
	}
	client := o.newClient()
	defer client.Close()
	for _, at := range o.addresses {
		f := connector.Finding{What: "dataset " + at.Series() + " at " + hostOf(at.Base)}
		l := &timeline{opts: o, address: at, log: c.Log, client: client}
		site, err := l.findSite(ctx)
		if f.Err = err; err == nil {
			bins, _, err := site.Recent(ctx, time.Now())
			f.Says, f.Err = site.Kind()+", no bins yet", err
			if len(bins) > 0 {
				f.Says = site.Kind() + ", newest bin " + bins[0].String()
			}
		}
		found(f)
	}
}

// hostOf names a dashboard without what may be secret in its address.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "of dashboard.url"
	}
	return u.Host
}
