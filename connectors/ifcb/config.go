package ifcb

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	modeFollow = "follow"
	modeOnce   = "once"

	fromNewest = "newest"
	fromOldest = "oldest"

	formatAvro = "avro"
	formatJSON = "json"

	// maxNewest bounds nbins when the newest bins come first: until the last is done the offset names each that is.
	maxNewest = 10_000
)

func configDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "topic", Type: connector.StringKey, Required: true, Importance: connector.High,
			Check: connector.NotEmpty, Doc: "The topic to publish images to."},
		connector.Key{Name: "dashboard.url", Type: connector.StringKey, Required: true, Importance: connector.High,
			Check: checkURL, Doc: "The dashboard, with the dataset (generation 1: time series) as the path's last part, such as " +
				"https://ifcb.example.org/mvco/. With or without a slash at the end; ?dataset=mvco is understood too."},
		connector.Key{Name: "dashboard.generation", Type: connector.StringKey, Default: "auto", Check: connector.OneOf("auto", "1", "2"),
			Doc: "1 for the Flask dashboard (feed.json), 2 for ifcbdb, auto to find out."},
		connector.Key{Name: "dataset", Type: connector.StringKey, Check: checkDataset,
			Doc: "The dataset, when dashboard.url does not end in it."},
		connector.Key{Name: "mode", Type: connector.StringKey, Default: modeFollow, Check: connector.OneOf(modeFollow, modeOnce), Importance: connector.High,
			Doc: "follow: go on with new bins for ever. once: end after the bins that are there."},
		connector.Key{Name: "nbins", Type: connector.IntKey, Default: 25, Check: connector.AtLeast(-1), Importance: connector.High,
			Doc: "How many bins of the past to take, -1 for all. The default is what a generation 1 dashboard's feed lists."},
		connector.Key{Name: "start.from", Type: connector.StringKey, Default: fromNewest, Check: connector.OneOf(fromNewest, fromOldest),
			Doc: "newest: take the newest nbins bins. oldest: the oldest ones, from the first day on (mode=once, or nbins=-1)."},
		connector.Key{Name: "order", Type: connector.StringKey, Default: "auto", Check: connector.OneOf("auto", fromNewest, fromOldest),
			Doc: "Which bin comes first, the newest or the oldest; auto is start.from, and oldest with nbins=-1."},
		connector.Key{Name: "poll.interval.ms", Type: connector.LongKey, Default: 60_000, Check: connector.AtLeast(100),
			Doc: "How often to look for new bins."},
		connector.Key{Name: "format", Type: connector.StringKey, Default: formatAvro, Check: connector.OneOf(formatAvro, formatJSON), Importance: connector.High,
			Doc: "avro: a struct with a schema, for any converter with schemas. json: the schemaless form of the original, " +
				"{ifcb_id, datetime, roi, image}, the image as base64; use the JSON converter with schemas.enable=false."},
		connector.Key{Name: "bin.attempts", Type: connector.IntKey, Default: 5, Check: connector.Between(1, 1000),
			Doc: "How often to try a bin whose images cannot be had, before it is given up as failed."},
		connector.Key{Name: "bin.retry.interval.ms", Type: connector.LongKey, Default: 60_000, Check: connector.AtLeast(0),
			Doc: "The time between two attempts at a failing bin (mode=once: a second at most)."},
		connector.Key{Name: "request.timeout.ms", Type: connector.LongKey, Default: 60_000, Check: connector.AtLeast(100),
			Doc: "How long the dashboard may be silent, before an answer and within one."},
		connector.Key{Name: "zip.max.bytes", Type: connector.LongKey, Default: int64(4 << 30), Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "The largest zip of a bin. It passes through a temporary file."},
		connector.Key{Name: "batch.size", Type: connector.IntKey, Default: 200, Check: connector.Between(1, 10_000), Importance: connector.Low,
			Doc: "The most images of one poll."},
		connector.Key{Name: "metadata", Type: connector.BooleanKey, Default: true, Importance: connector.Low,
			Doc: "Ask for each bin's header (and generation 2's details) to fill ml_analyzed, position and depth."},
	)
}

func checkURL(_ string, value any) error {
	text, _ := value.(string)
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("must be an http or https URL such as https://ifcb.example.org/mvco/")
	case u.User != nil:
		return fmt.Errorf("must not contain a user or password: dashboards are read without")
	}
	return nil
}

func checkDataset(_ string, value any) error {
	if text, _ := value.(string); strings.ContainsAny(text, "/?# ") {
		return fmt.Errorf("must be a name without slash or space")
	}
	return nil
}

// address is where a dashboard's dataset is: base without a slash at the end.
type address struct{ base, dataset string }

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

// options are the parsed configuration.
type options struct {
	topic       string
	address     address
	generation  string
	once        bool
	nbins       int // -1 is all
	fromOldest  bool
	oldestFirst bool
	interval    time.Duration
	format      string
	attempts    int
	retry       time.Duration
	timeout     time.Duration
	maxZip      int64
	batch       int
	metadata    bool
}

func newOptions(conf connector.Config) (options, error) {
	ms := func(key string) time.Duration { return time.Duration(conf.Int64(key)) * time.Millisecond }
	o := options{
		topic: conf.String("topic"), generation: conf.String("dashboard.generation"),
		once: conf.String("mode") == modeOnce, nbins: conf.Int("nbins"), fromOldest: conf.String("start.from") == fromOldest,
		interval: ms("poll.interval.ms"), format: conf.String("format"), attempts: conf.Int("bin.attempts"),
		retry: ms("bin.retry.interval.ms"), timeout: ms("request.timeout.ms"), maxZip: conf.Int64("zip.max.bytes"),
		batch: conf.Int("batch.size"), metadata: conf.Bool("metadata"),
	}
	switch conf.String("order") {
	case fromOldest:
		o.oldestFirst = true
	case "auto":
		o.oldestFirst = o.fromOldest || o.nbins < 0
	}
	if o.once {
		o.retry = min(o.retry, time.Second)
	}
	var err error
	if o.address, err = parseAddress(conf.String("dashboard.url"), conf.String("dataset")); err != nil {
		return options{}, fmt.Errorf("dashboard.url: %w", err)
	}
	return o, nil
}

// Validate checks what one key alone cannot tell.
func (*Source) Validate(conf connector.Config, p *connector.Problems) {
	if text := conf.String("dashboard.url"); text != "" && checkURL("", text) == nil {
		if _, err := parseAddress(text, conf.String("dataset")); err != nil {
			p.Add("dashboard.url", "%s", connector.Invalid("dashboard.url", text, err.Error()))
		}
	}
	nbins := conf.Int("nbins")
	if conf.String("start.from") == fromOldest && conf.String("mode") == modeFollow && nbins >= 0 {
		p.Add("start.from", "%s", connector.Invalid("start.from", fromOldest,
			"the oldest bins are taken with mode=once, or all of them with nbins=-1"))
	}
	if newestFirst := conf.String("order") == fromNewest || (conf.String("order") == "auto" && conf.String("start.from") == fromNewest); newestFirst &&
		(nbins > maxNewest || (nbins < 0 && conf.String("order") == fromNewest)) {
		p.Add("order", "%s", connector.Invalid("order", conf.String("order"),
			fmt.Sprintf("newest first is for up to %d bins: set order=oldest", maxNewest)))
	}
}
