package ifcb

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
)

// everything stands for all datasets of a dashboard.
const everything = "*"

// fileScheme begins the base of a folder's address.
const fileScheme = "file://"

// folderOf is the path of the folder at an address; empty for a dashboard.
func folderOf(a dashboard.Address) string {
	name, ok := strings.CutPrefix(a.Base, fileScheme)
	if !ok {
		return ""
	}
	return filepath.FromSlash(name)
}

// newAddresses gives the datasets of a configuration, one at least.
func newAddresses(conf connector.Config) ([]dashboard.Address, error) {
	tags, names := conf.List("tags"), conf.List("datasets")
	if folder := conf.String("folder"); folder != "" {
		dir, err := filepath.Abs(folder)
		if err != nil {
			return nil, fmt.Errorf("folder: %w", err)
		}
		a := dashboard.Address{Base: fileScheme + filepath.ToSlash(dir), Dataset: conf.String("dataset")}
		if a.Dataset == "" {
			a.Dataset = filepath.Base(dir)
		}
		return []dashboard.Address{a}, nil
	}
	if len(names) == 0 {
		a, err := dashboard.ParseAddress(conf.String("dashboard.url"), conf.String("dataset"))
		return []dashboard.Address{a.WithTags(tags)}, err
	}
	base, err := dashboard.ParseBase(conf.String("dashboard.url"))
	if err != nil {
		return nil, err
	}
	list := make([]dashboard.Address, len(names))
	for i, name := range names {
		list[i] = dashboard.Address{Base: base, Dataset: name}.WithTags(tags)
	}
	return list, nil
}

// TaskConfigs spreads the datasets over the tasks: each is read by one of them, in one order.
func (*Source) TaskConfigs(ctx context.Context, _ connector.Context, conf connector.Config, maxTasks int) ([]connector.Props, error) {
	names := conf.List("datasets")
	if len(names) == 0 {
		return []connector.Props{conf.Props()}, nil
	}
	if slices.Contains(names, everything) {
		var err error
		if names, err = allDatasets(ctx, conf); err != nil {
			return nil, err
		}
	}
	tasks := make([]connector.Props, min(max(maxTasks, 1), len(names)))
	for i := range tasks {
		var own []string
		for j := i; j < len(names); j += len(tasks) {
			own = append(own, names[j])
		}
		tasks[i] = conf.Props().Clone()
		tasks[i]["datasets"] = strings.Join(own, ",")
	}
	return tasks, nil
}

// ResplitEvery tells how often to look for other datasets, when all are wanted for ever.
func (*Source) ResplitEvery(conf connector.Config) time.Duration {
	if conf.String("mode") == modeOnce || !slices.Contains(conf.List("datasets"), everything) {
		return 0
	}
	return time.Duration(conf.Int64("datasets.interval.ms")) * time.Millisecond
}

// allDatasets asks a dashboard of generation 2 for its datasets.
func allDatasets(ctx context.Context, conf connector.Config) ([]string, error) {
	base, err := dashboard.ParseBase(conf.String("dashboard.url"))
	if err != nil {
		return nil, err
	}
	o, err := newOptions(conf)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout) // the tasks may use all connections for longer
	defer cancel()
	c := o.newClient()
	defer c.Close()
	return dashboard.Names(ctx, c, base)
}
