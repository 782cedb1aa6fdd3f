package ifcb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// everything stands for all datasets of a dashboard.
const everything = "*"

// address is where a dataset is: base is the dashboard without a slash at the end, or a folder as a file URL.
type address struct {
	base, dataset string
	tags          string // with commas between them
}

// folder is the path of a folder; empty for a dashboard.
func (a address) folder() string {
	name, ok := strings.CutPrefix(a.base, "file://")
	if !ok {
		return ""
	}
	return filepath.FromSlash(name)
}

// tagList gives the tags one by one.
func (a address) tagList() []string {
	if a.tags == "" {
		return nil
	}
	return strings.Split(a.tags, ",")
}

// series is the dataset with its tags, as generation 1 writes them: mvco:beads.
func (a address) series() string {
	return strings.Join(append([]string{a.dataset}, a.tagList()...), ":")
}

// withTags moves the tags that a dataset's name carries to their place, and adds more.
func (a address) withTags(more []string) address {
	parts := strings.Split(a.dataset, ":")
	tags := append(parts[1:len(parts):len(parts)], more...)
	a.dataset, a.tags = parts[0], strings.Join(slices.DeleteFunc(tags, func(t string) bool { return t == "" }), ",")
	return a
}

// newAddresses gives the datasets of a configuration, one at least.
func newAddresses(conf connector.Config) ([]address, error) {
	tags, names := conf.List("tags"), conf.List("datasets")
	if folder := conf.String("folder"); folder != "" {
		dir, err := filepath.Abs(folder)
		if err != nil {
			return nil, fmt.Errorf("folder: %w", err)
		}
		a := address{base: "file://" + filepath.ToSlash(dir), dataset: conf.String("dataset")}
		if a.dataset == "" {
			a.dataset = filepath.Base(dir)
		}
		return []address{a}, nil
	}
	if len(names) == 0 {
		a, err := parseAddress(conf.String("dashboard.url"), conf.String("dataset"))
		return []address{a.withTags(tags)}, err
	}
	base, err := parseBase(conf.String("dashboard.url"))
	if err != nil {
		return nil, err
	}
	list := make([]address, len(names))
	for i, name := range names {
		list[i] = address{base: base, dataset: name}.withTags(tags)
	}
	return list, nil
}

// parseBase reads the URL of a dashboard's root.
func parseBase(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	u.RawQuery, u.Fragment = "", ""
	return strings.TrimRight(u.String(), "/"), nil
}

// parseAddress takes the dataset from the URL's query or path unless it is given. A link to feed.json or a timeline
// page is understood.
func parseAddress(text, dataset string) (address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return address{}, err
	}
	if named := u.Query().Get("dataset"); named != "" {
		if dataset == "" {
			dataset = named
		}
		if !strings.HasSuffix(u.Path, "/") { // the page it is a link to
			u.Path = strings.TrimSuffix(u.Path, path.Base(u.Path))
		}
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "feed.json"), "/")
	last := path.Base(u.Path)
	switch {
	case dataset == "" && (u.Path == "" || last == "/"):
		return address{}, fmt.Errorf("it names no dataset: let it end in one, or set dataset")
	case dataset == "":
		dataset = last
		u.Path = strings.TrimSuffix(u.Path, last)
	case last == dataset:
		u.Path = strings.TrimSuffix(u.Path, last)
	}
	u.RawPath = ""
	u.Path = strings.TrimRight(u.Path, "/")
	return address{base: u.String(), dataset: dataset}, nil
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
	base, err := parseBase(conf.String("dashboard.url"))
	if err != nil {
		return nil, err
	}
	o, err := newOptions(conf)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout) // the tasks may use all connections for longer
	defer cancel()
	c := newClient(o.timeout, o.connections)
	defer c.close()
	names, err := (&generation2{client: c, address: address{base: base}}).datasets(ctx)
	switch {
	case isAbsent(err) || err == nil && names == nil:
		return nil, connector.Fatal(fmt.Errorf("%s does not list its datasets, as dashboards of generation 2 do: name them in datasets", base))
	case err == nil && len(names) == 0:
		err = connector.Retriable(errors.New(base + " lists no dataset yet"))
	}
	return names, err
}
