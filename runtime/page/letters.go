package page

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/deadletters"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/internal/topics"
)

// lettersKey names the topic of a connector's dead letters.
const lettersKey = "errors.deadletterqueue.topic.name"

// letterTopic is a topic of dead letters.
type letterTopic struct {
	Topic      string   `json:"topic"`
	Connectors []string `json:"connectors"` // that write there
	There      bool     `json:"there"`
	Letters    int64    `json:"letters"` // offsets from the first to the end
}

// letterWriters gives the connectors whose dead letters go to each topic.
func (p *Page) letterWriters() map[string][]string {
	writers := map[string][]string{}
	for _, name := range p.o.Herder.Connectors() {
		i, err := p.o.Herder.Info(name)
		if err != nil {
			continue // deleted meanwhile
		}
		if topic, _ := i.Config.Text(lettersKey); strings.TrimSpace(topic) != "" {
			writers[strings.TrimSpace(topic)] = append(writers[strings.TrimSpace(topic)], name)
		}
	}
	return writers
}

func (p *Page) letterTopics(r *http.Request) (any, error) {
	writers := p.letterWriters()
	list := []letterTopic{}
	if len(writers) == 0 {
		return list, nil
	}
	c, err := p.open(r.Context(), "consumer")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, topic := range slices.Sorted(maps.Keys(writers)) {
		t := letterTopic{Topic: topic, Connectors: writers[topic]}
		found, err := topics.Describe(r.Context(), c, topic)
		switch {
		case err == nil:
			t.There, t.Letters = true, found[0].Records
		case !errors.Is(err, kafka.ErrUnknownTopic):
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// filter is which letters are asked for.
type filter struct {
	Connector string `json:"connector"`
	Stage     string `json:"stage"`
	Exception string `json:"exception"`
}

func (p *Page) source(topic string, f filter) (deadletters.Source, error) {
	return deadletters.Source{Topic: topic, Open: p.open, Filter: deadletters.Filter{Connector: f.Connector, Stage: f.Stage, Exception: f.Exception}}, p.mayRead(topic)
}

// asked reads the filter of a request.
func asked(r *http.Request) filter {
	return filter{r.FormValue("connector"), r.FormValue("stage"), r.FormValue("exception")}
}

func (p *Page) causes(r *http.Request) (any, error) {
	s, err := p.source(r.PathValue("topic"), filter{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), lettersFor, errLettersFor)
	defer cancel()
	return s.Causes(ctx)
}

// lettersFor is how long the letters of a topic may be read.
const lettersFor = time.Minute

var errLettersFor = errors.New("the letters take more than a minute to read: hydraulics dlq list takes the time that it needs")

// letterRecord is a letter as the page shows it: the record, and why it died.
type letterRecord struct {
	tailedRecord
	Place    string            `json:"place"` // of the letter
	From     string            `json:"from"`  // where the record was read from
	Died     deadletters.Shown `json:"died"`
	Trace    string            `json:"trace"`
	Replayed int               `json:"replayed"`
}

// letters shows the newest letters of a cause, read as their connector does.
func (p *Page) letters(r *http.Request) (any, error) {
	most, err := whole(r, "max", 20, 1, tailRecords)
	if err != nil {
		return nil, err
	}
	s, err := p.source(r.PathValue("topic"), asked(r))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), lettersFor, errLettersFor)
	defer cancel()
	var newest []dlq.Letter
	bytes := 0
	if err := s.Each(ctx, func(l dlq.Letter) error {
		newest, bytes = append(newest, l), bytes+len(l.Message.Value)
		for len(newest) > most || bytes > tailBytes && len(newest) > 1 {
			bytes -= len(newest[0].Message.Value)
			newest = slices.Delete(newest, 0, 1)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	slices.Reverse(newest)
	decoders := map[[2]string]topics.Decoder{}
	defer func() {
		for _, d := range decoders {
			d.Close()
		}
	}()
	list := []letterRecord{}
	for _, l := range newest {
		d, known := decoders[[2]string{l.Connector, l.Topic}]
		if !known {
			if d, err = p.decoder(l.Connector, l.Topic); err != nil {
				d = topics.Decoder{} // it is gone, or cannot be made: the bytes say it
			}
			decoders[[2]string{l.Connector, l.Topic}] = d
		}
		list = append(list, p.letter(ctx, d, l))
	}
	return list, nil
}

func (p *Page) letter(ctx context.Context, d topics.Decoder, l dlq.Letter) letterRecord {
	m := l.Again()
	m.Headers, m.Offset, m.Topic = m.Headers[:len(m.Headers)-1], l.Offset, l.Topic // the last one counts replays
	died := deadletters.Show(l)
	died.Key, died.Value, died.Headers = nil, nil, nil // they are shown decoded
	return letterRecord{tailedRecord: p.tailed(d.Decode(ctx, m)), Place: topics.Place(l.Message),
		From: died.Origin, Died: died, Trace: output.Clip(l.Trace, 4000), Replayed: l.Replayed}
}

// replayOrder is what a replay is asked for with.
type replayOrder struct {
	filter
	DryRun  bool    `json:"dryRun"`
	Restart bool    `json:"restart"`
	Rate    float64 `json:"rate"` // records per second, 0 for as many as possible
}

// maxReplays is how often a record is sent again from the page, as from the command
// line where nothing else is said.
const maxReplays = 3

// replayState is how far a replay is.
type replayState struct {
	Running bool               `json:"running"`
	Report  deadletters.Report `json:"report"`
	Error   string             `json:"error,omitempty"`
	Began   time.Time          `json:"began"`
	Ended   time.Time          `json:"ended,omitzero"`
}

// replays are those that the page has started, by the topic of the letters. The zero
// value is ready.
type replays struct {
	mu      sync.Mutex
	of      map[string]*replayState
	running sync.WaitGroup
	cancel  context.CancelFunc
	life    context.Context
	closed  bool
}

// begin notes a replay, one of a topic at a time, and gives how long it may last.
func (r *replays) begin(topic string) (context.Context, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[string]*replayState{}
		r.life, r.cancel = context.WithCancel(context.Background())
	}
	if r.closed {
		return nil, failed(http.StatusServiceUnavailable, "the worker is stopping")
	}
	if s := r.of[topic]; s != nil && s.Running {
		return nil, failed(http.StatusConflict, "letters of %s are being replayed already: two at a time would send them twice", topic)
	}
	r.of[topic] = &replayState{Running: true, Began: time.Now().UTC()}
	r.running.Add(1)
	return r.life, nil
}

// change changes the state of a topic's replay.
func (r *replays) change(topic string, f func(*replayState)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.of[topic])
}

// end breaks off what runs; what has arrived is committed.
func (r *replays) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.cancel != nil {
		r.cancel()
	}
}

// replay answers with what a dry run would do, or starts a replay, which ends by
// itself or with [Page.Close].
func (p *Page) replay(r *http.Request) (any, error) {
	var order replayOrder
	if err := body(r, &order); err != nil {
		return nil, err
	}
	if order.Rate < 0 {
		return nil, failed(http.StatusBadRequest, "rate: want records per second, or 0 for as many as possible")
	}
	topic := r.PathValue("topic")
	source, err := p.source(topic, order.filter)
	if err != nil {
		return nil, err
	}
	again := deadletters.Replay{Source: source, DryRun: order.DryRun, Rate: order.Rate, MaxReplays: maxReplays, Restart: order.Restart, Kept: p.o.Kept}
	if order.DryRun {
		ctx, cancel := context.WithTimeoutCause(r.Context(), lettersFor, errLettersFor)
		defer cancel()
		report, err := again.Run(ctx)
		return replayState{Report: report}, err
	}
	life, err := p.replaysOf.begin(topic)
	if err != nil {
		return nil, err
	}
	again.Progress = func(report deadletters.Report) { p.replaysOf.change(topic, func(s *replayState) { s.Report = report }) }
	go func() {
		defer p.replaysOf.running.Done()
		report, err := again.Run(life)
		p.o.Log.Info("dead letters were replayed", "topic", topic, "filter", order.filter, "sent", report.Sent, "left", report.Left, "error", err)
		p.replaysOf.change(topic, func(s *replayState) {
			s.Running, s.Report, s.Ended = false, report, time.Now().UTC()
			if err != nil {
				s.Error = err.Error()
			}
		})
	}()
	return p.replayed(r)
}

// replayed answers with how far the last replay of a topic is.
func (p *Page) replayed(r *http.Request) (any, error) {
	p.replaysOf.mu.Lock()
	defer p.replaysOf.mu.Unlock()
	s := p.replaysOf.of[r.PathValue("topic")]
	if s == nil {
		return nil, nil
	}
	return *s, nil
}
