package gaps

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/cmd/hydraulics/internal/connection"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// listing is the bins that a dashboard or folder has.
type listing struct {
	url     string
	why     string // what it means that the topic does not know a bin
	dataset string
	bins    []ifcb.BinID
	shown   func(context.Context, []ifcb.BinID) ([]ifcb.BinID, error) // those that are not flagged to be skipped
	close   func()
}

// list asks for the bins of a period.
func (o *Options) list(ctx context.Context, from, until time.Time) (*listing, error) {
	if strings.Contains(o.Dashboard, "://") {
		return o.listDashboard(ctx, from, until)
	}
	return o.listFolder(from, until)
}

func (o *Options) listDashboard(ctx context.Context, from, until time.Time) (*listing, error) {
	if err := dashboard.CheckURL(o.Dashboard); errors.Is(err, dashboard.ErrLogin) {
		return nil, errors.New("its URL must not contain a user or password")
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Dashboard, err)
	}
	address, err := dashboard.ParseAddress(o.Dashboard, o.Dataset)
	if err != nil {
		return nil, err
	}
	address = address.WithTags(nil)
	props, err := connection.ReadDashboard(o.Access)
	if err != nil {
		return nil, err
	}
	access, err := dashboard.ReadAccess(props)
	if err != nil {
		return nil, err
	}
	client := dashboard.NewClient(dashboard.Options{Agent: "hydraulics/" + config.Version, Access: access})
	l := &listing{url: o.Dashboard, why: "the dashboard lists it, the topic does not know it", dataset: address.Series(), close: client.Close}
	data, err := dashboard.Detect(ctx, client, address, "")
	if err == nil {
		l.bins, err = data.Bins(ctx, from, until)
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	l.shown = func(ctx context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) {
		shown, err := data.Shown(ctx, bins)
		if dashboard.IsAbsent(err) { // it has no flags
			return bins, nil
		}
		return shown, err
	}
	return l, nil
}

func (o *Options) listFolder(from, until time.Time) (*listing, error) {
	l := &listing{url: o.Dashboard, why: "the folder has it, the topic does not know it", dataset: o.Dataset, close: func() {},
		shown: func(_ context.Context, bins []ifcb.BinID) ([]ifcb.BinID, error) { return bins, nil }}
	if l.dataset == "" {
		dir, err := filepath.Abs(o.Dashboard)
		if err != nil {
			return nil, err
		}
		l.dataset = filepath.Base(dir)
	}
	files, err := ifcb.ListParts(o.Dashboard, from)
	if err != nil {
		return nil, err
	}
	end := time.Now()
	if !until.IsZero() && until.Before(end) {
		end = until
	}
	for _, f := range files {
		if t := f.ID.Time(); !t.Before(from) && t.Before(end) {
			l.bins = append(l.bins, f.ID)
		}
	}
	return l, nil
}

// missing gives the bins that the topic does not know, but for those that are flagged to be skipped unless these count
// too; unknown is the number of both.
func (l *listing) unknown(ctx context.Context, told map[string]bool, withSkipped bool) (bins []outcome, unknown int, err error) {
	ids := slices.DeleteFunc(l.bins, func(id ifcb.BinID) bool { return told[id.String()] })
	if unknown = len(ids); unknown > 0 && !withSkipped {
		if ids, err = l.shown(ctx, ids); err != nil {
			return nil, 0, err
		}
	}
	for _, id := range ids {
		bins = append(bins, outcome{PID: id.String(), Dataset: l.dataset, Dashboard: l.url, IFCB: id.IFCB(),
			Time: id.Time().Unix(), Status: missing, Reason: l.why})
	}
	return bins, unknown, nil
}
