package ifcb

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

const (
	modeFollow = "follow"
	modeOnce   = "once"

	fromNewest = "newest"
	fromOldest = "oldest"

	skipExclude = "exclude"
	skipInclude = "include"

	formatAvro = "avro"
	formatJSON = "json"

	day = 24 * time.Hour

	// maxNewest bounds nbins when the newest bins come first: until the last is done the offset names each that is.
	maxNewest = 10_000
)

func configDef() *connector.ConfigDef {
	return connector.NewConfigDef(append(sourceKeys(), dashboard.AccessKeys()...)...)
}

func sourceKeys() []connector.Key {
	return []connector.Key{
		{Name: "topic", Type: connector.StringKey, Required: true, Importance: connector.High,
			Check: connector.NotEmpty, Doc: "The topic to publish images to."},
		{Name: "bins.topic", Type: connector.StringKey, Importance: connector.High,
			Doc: "The topic that tells of each bin how many images were expected, given and lost, and why. Without the key it is the " +
				"value of topic and -bins with format=avro, and there is none with format=json; an empty value (bins.topic: \"\") switches it off."},
		{Name: "dashboard.url", Type: connector.StringKey, Importance: connector.High,
			Check: checkURL, Doc: "The dashboard, with the dataset (generation 1: time series) as the path's last part, such as " +
				"https://ifcb.example.org/mvco/. With or without a slash at the end; ?dataset=mvco is understood too. With datasets, " +
				"the dashboard's root. Either this or folder is required."},
		{Name: "folder", Type: connector.StringKey, Path: true, Importance: connector.High,
			Doc: "A folder of raw files (.adc, .hdr, .roi) in place of a dashboard: the instrument's own, or a share. Flat, in day folders, " +
				"or in day folders below year folders. It is looked at every poll.interval.ms."},
		{Name: "folder.settle.ms", Type: connector.LongKey, Default: 60_000, Check: connector.AtLeast(0),
			Doc: "How long a bin's files must stay the same before it is taken, when they were changed in the last hour; all three must be " +
				"there and agree, too. Files that are older are taken as they are."},
		{Name: "dashboard.generation", Type: connector.StringKey, Default: "auto", Check: connector.OneOf("auto", "1", "2"),
			Doc: "1 for the Flask dashboard (feed.json), 2 for ifcbdb, auto to find out."},
		{Name: "dataset", Type: connector.StringKey, Check: checkDataset,
			Doc: "The dataset, when dashboard.url does not end in it. Of a folder, the name for its records; else the folder's own."},
		{Name: "datasets", Type: connector.ListKey, Default: "", Distinct: true, Check: checkDatasets,
			Doc: "Several datasets of one dashboard, spread over tasks.max tasks; * is all that a generation 2 dashboard lists, also those it gains later."},
		{Name: "datasets.interval.ms", Type: connector.LongKey, Default: 300_000, Check: connector.AtLeast(100), Importance: connector.Low,
			Doc: "With datasets=*, how often to look whether the dashboard has other ones. The tasks are made anew then; one whose dataset is gone ends, and goes on where it was should it come back."},
		{Name: "tags", Type: connector.ListKey, Default: "", Distinct: true, Check: checkDatasets,
			Doc: "Take bins with all of these tags only. A dataset may carry them too: mvco:beads."},
		{Name: "sample.types", Type: connector.ListKey, Default: "", Distinct: true, Check: checkSampleTypes,
			Doc: "Take bins of these sample types only, or with a ! before a name leave them out: normal, or !beads,!test,!culture. A name is what header or dashboard " +
				"write, without regard to case, or a run flag of the records (beads, test, culture, cleaning, blank, calibration, fast, alternate); normal is also a bin of which nothing is said. " +
				"bins.topic tells of those that are left out. Without the key all are taken, and the views of the tables leave out what is no sample of the water."},
		{Name: "position.max.age.ms", Type: connector.LongKey, Default: day.Milliseconds(), Check: connector.AtLeast(-1), Importance: connector.Low,
			Doc: "How far from the sample the header's GPS fix may be in time to be its position, -1 for any: an instrument that never moves."},
		{Name: "skip", Type: connector.StringKey, Default: skipExclude, Check: connector.OneOf(skipExclude, skipInclude),
			Doc: "exclude: leave bins out that the dashboard flags to be skipped; bins.topic says so. include: take them like others."},
		{Name: "skip.recheck.days", Type: connector.IntKey, Default: 14, Check: connector.Between(0, 3650),
			Doc: "A bin that was left out for its flag is taken when the dashboard takes the flag back while the bin is not older than this, 0 for never. " +
				"At most 1000 bins of a dataset are remembered for that, the newest."},
		{Name: "skip.recheck.interval.ms", Type: connector.LongKey, Default: 3_600_000, Check: connector.AtLeast(100), Importance: connector.Low,
			Doc: "How often to look for flags that were taken back; also at every start."},
		{Name: "mode", Type: connector.StringKey, Default: modeFollow, Check: connector.OneOf(modeFollow, modeOnce), Importance: connector.High,
			Doc: "follow: go on with new bins for ever. once: end after the bins that are there."},
		{Name: "backfill.start", Type: connector.StringKey, Check: checkDate, Importance: connector.High,
			Doc: "Fill in a period of the past: its first day or time (2019-07-28, 2019-07-28T21:00:00Z or +00:00). With mode=follow new bins go " +
				"before it; with mode=once the period is all that is taken, and nbins does not count."},
		{Name: "backfill.end", Type: connector.StringKey, Check: checkDate,
			Doc: "The end of the period: its last day, or the time before which bins are taken. Without it the period reaches to the " +
				"first bin that mode=follow takes as new, or to now."},
		{Name: "nbins", Type: connector.IntKey, Default: 25, Check: connector.AtLeast(-1), Importance: connector.High,
			Doc: "How many bins of the past to take, -1 for all. The default is what a generation 1 dashboard's feed lists."},
		{Name: "start.from", Type: connector.StringKey, Default: fromNewest, Check: connector.OneOf(fromNewest, fromOldest),
			Doc: "newest: take the newest nbins bins. oldest: the oldest ones, from the first day on (mode=once, or nbins=-1)."},
		{Name: "order", Type: connector.StringKey, Default: "auto", Check: connector.OneOf("auto", fromNewest, fromOldest),
			Doc: "Which bin comes first, the newest or the oldest; auto is start.from, and oldest with nbins=-1."},
		{Name: "poll.interval.ms", Type: connector.LongKey, Default: 60_000, Check: connector.AtLeast(100),
			Doc: "How often to look for new bins."},
		{Name: "format", Type: connector.StringKey, Default: formatAvro, Check: connector.OneOf(formatAvro, formatJSON), Importance: connector.High,
			Doc: "avro: a struct with a schema, for any converter with schemas. json: the schemaless form of the original, " +
				"{ifcb_id, datetime, roi, image}, the image as base64; use the JSON converter with schemas.enable=false."},
		{Name: "bin.attempts", Type: connector.IntKey, Default: 5, Check: connector.Between(1, 1000),
			Doc: "How often to try a bin whose images cannot be had, before it is given up as failed."},
		{Name: "bin.retry.interval.ms", Type: connector.LongKey, Default: 60_000, Check: connector.AtLeast(0),
			Doc: "The time between two attempts at a failing bin (mode=once: a second at most)."},
		{Name: "dashboard.max.connections", Type: connector.IntKey, Default: dashboard.DefaultConnections, Check: connector.Between(1, 64),
			Doc: "How many requests the dashboard's host gets at a time, from all tasks of this process."},
		{Name: "request.timeout.ms", Type: connector.LongKey, Default: dashboard.DefaultTimeout.Milliseconds(), Check: connector.AtLeast(100),
			Doc: "How long the dashboard may be silent, before an answer and within one."},
		{Name: "zip.max.bytes", Type: connector.LongKey, Default: int64(4 << 30), Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "The largest zip of a bin. It passes through a temporary file."},
		{Name: "batch.size", Type: connector.IntKey, Default: 200, Check: connector.Between(1, 10_000), Importance: connector.Low,
			Doc: "The most images of one poll."},
		{Name: "metadata", Type: connector.BooleanKey, Default: true, Importance: connector.Low,
			Doc: "Ask for each bin's header (and generation 2's details) to fill ml_analyzed, position and depth."},
	}
}

func checkURL(_ string, value any) error {
	text, given := value.(string)
	if !given {
		return nil
	}
	err := dashboard.CheckURL(text)
	if errors.Is(err, dashboard.ErrLogin) {
		return connector.Sentence("Invalid value [hidden] for configuration dashboard.url: " + err.Error())
	}
	return err
}

func checkDate(_ string, value any) error {
	text, given := value.(string)
	if !given {
		return nil
	}
	_, err := ifcb.ParseDate(text)
	return err
}

func checkDatasets(name string, value any) error {
	names, _ := value.([]string)
	for _, text := range names {
		if err := checkDataset(name, text); err != nil {
			return err
		}
	}
	return nil
}

func checkSampleTypes(_ string, value any) error {
	names, _ := value.([]string)
	for _, name := range names {
		if strings.TrimSpace(strings.TrimPrefix(name, "!")) == "" {
			return fmt.Errorf("must be names such as normal or !beads")
		}
	}
	return nil
}

func checkDataset(_ string, value any) error {
	if text, _ := value.(string); strings.ContainsAny(text, "/?# ") {
		return fmt.Errorf("must be a name without slash or space")
	}
	return nil
}

// options are the parsed configuration.
type options struct {
	topic       string
	binsTopic   string // empty for none
	addresses   []dashboard.Address
	generation  string
	once        bool
	nbins       int // -1 is all
	fromOldest  bool
	oldestFirst bool
	period      period // of the past; zero without
	skip        bool   // leave flagged bins out
	recheckFor  time.Duration
	recheck     time.Duration // the time between two looks at the flags of those
	interval    time.Duration
	settle      time.Duration
	format      string
	attempts    int
	retry       time.Duration
	timeout     time.Duration
	connections int
	maxZip      int64
	batch       int
	metadata    bool
	sampleTypes ifcb.SampleTypes
	positionAge time.Duration // of the header's fix; negative is any
	access      dashboard.Access
}

func newOptions(conf connector.Config) (options, error) {
	ms := func(key string) time.Duration { return time.Duration(conf.Int64(key)) * time.Millisecond }
	o := options{
		topic: conf.String("topic"), binsTopic: conf.String("bins.topic"), generation: conf.String("dashboard.generation"),
		once: conf.String("mode") == modeOnce, nbins: conf.Int("nbins"), fromOldest: conf.String("start.from") == fromOldest,
		skip: conf.String("skip") == skipExclude, recheckFor: time.Duration(conf.Int("skip.recheck.days")) * day,
		recheck: ms("skip.recheck.interval.ms"), interval: ms("poll.interval.ms"), settle: ms("folder.settle.ms"),
		format: conf.String("format"), attempts: conf.Int("bin.attempts"), retry: ms("bin.retry.interval.ms"),
		timeout: ms("request.timeout.ms"), connections: conf.Int("dashboard.max.connections"), maxZip: conf.Int64("zip.max.bytes"),
		batch: conf.Int("batch.size"), metadata: conf.Bool("metadata"),
		sampleTypes: ifcb.NewSampleTypes(conf.List("sample.types")), positionAge: ms("position.max.age.ms"),
	}
	if !conf.Given("bins.topic") && o.format == formatAvro {
		o.binsTopic = o.topic + "-bins"
	}
	var err error
	if o.period, err = newPeriod(conf.String("backfill.start"), conf.String("backfill.end")); err != nil {
		return options{}, err
	}
	switch conf.String("order") {
	case fromOldest:
		o.oldestFirst = true
	case "auto":
		o.oldestFirst = o.fromOldest || o.nbins < 0 || (o.once && !o.period.isZero())
	}
	if o.once {
		o.retry = min(o.retry, time.Second)
	}
	if o.access, err = dashboard.NewAccess(conf); err != nil {
		return options{}, connector.Fatal(err)
	}
	o.addresses, err = newAddresses(conf)
	return o, err
}

func (o options) newClient() *dashboard.Client {
	return dashboard.NewClient(dashboard.Options{Timeout: o.timeout, Connections: o.connections, Agent: "hydraulics-ifcb/" + Version, Access: o.access})
}

// Validate checks what one key alone cannot tell.
func (*Source) Validate(conf connector.Config, p *connector.Problems) {
	add := func(key string, value any, why string) { p.Add(key, "%s", connector.Invalid(key, value, why)) }
	text, folder, datasets := conf.String("dashboard.url"), conf.String("folder"), conf.List("datasets")
	switch {
	case text == "" && folder == "" && !conf.Given("dashboard.url"):
		add("dashboard.url", nil, "the source is either a dashboard or a folder: set dashboard.url or folder")
	case text != "" && folder != "":
		add("folder", folder, "the source is either a dashboard or a folder: leave out folder or dashboard.url")
	case folder != "" && len(datasets) > 0:
		add("datasets", datasets, "a folder is one dataset: use one connector per folder, and dataset for its name")
	case len(datasets) > 0 && conf.String("dataset") != "":
		add("dataset", conf.String("dataset"), "datasets names them already: leave one of the two out")
	case slices.Contains(datasets, everything) && len(datasets) > 1:
		add("datasets", datasets, "* is all of them: leave out the others")
	case text != "" && checkURL("", text) == nil:
		if _, err := newAddresses(conf); err != nil {
			add("dashboard.url", text, err.Error())
		}
	}
	dashboard.CheckLogin(conf, p)
	if period, err := newPeriod(conf.String("backfill.start"), conf.String("backfill.end")); err == nil && !period.end.IsZero() && !period.start.Before(period.end) {
		add("backfill.end", conf.String("backfill.end"), "the period ends before it begins")
	}
	nbins := conf.Int("nbins")
	if conf.String("start.from") == fromOldest && conf.String("mode") == modeFollow && nbins >= 0 {
		add("start.from", fromOldest, "the oldest bins are taken with mode=once, or all of them with nbins=-1")
	}
	if newestFirst := conf.String("order") == fromNewest || (conf.String("order") == "auto" && conf.String("start.from") == fromNewest); newestFirst &&
		(nbins > maxNewest || (nbins < 0 && conf.String("order") == fromNewest)) {
		add("order", conf.String("order"), fmt.Sprintf("newest first is for up to %d bins: set order=oldest", maxNewest))
	}
}
