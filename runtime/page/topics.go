package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/internal/topics"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// listedTopic is a topic in the page's list.
type listedTopic struct {
	topics.Listed
	Connectors []string `json:"connectors"` // that use it, or send their dead letters to it
	Kept       bool     `json:"kept"`       // a worker's own, which is not shown
}

func (p *Page) topics(r *http.Request) (any, error) {
	c, err := p.open(r.Context(), "consumer")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	found, err := topics.List(r.Context(), c, r.FormValue("all") == "true")
	if err != nil {
		return nil, err
	}
	users := p.users()
	list := []listedTopic{}
	for _, t := range found {
		of := append([]string{}, users[t.Name]...)
		slices.Sort(of)
		list = append(list, listedTopic{t, of, slices.Contains(p.o.Kept, t.Name)})
	}
	return list, nil
}

// users gives the connectors that are configured to use each topic, or have used it since
// the worker started, first those that write records to it.
func (p *Page) users() map[string][]string {
	write, others := map[string][]string{}, map[string][]string{}
	for _, name := range p.o.Herder.Connectors() {
		status, err := p.o.Herder.Status(name)
		if err != nil {
			continue // deleted meanwhile
		}
		of := p.ways(name, status.Kind, nil)
		for _, t := range of.Writes {
			write[t] = append(write[t], name)
		}
		uses := append(of.Reads, of.Letters)
		slices.Sort(uses)
		for _, t := range slices.Compact(uses) {
			if t != "" && !slices.Contains(of.Writes, t) {
				others[t] = append(others[t], name)
			}
		}
	}
	for t, names := range others {
		write[t] = append(write[t], names...)
	}
	return write
}

func (p *Page) topic(r *http.Request) (any, error) {
	c, err := p.open(r.Context(), "consumer")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	found, err := topics.Describe(r.Context(), c, r.PathValue("topic"))
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// The bounds of what the page shows of a topic.
const (
	tailRecords = 500
	tailBytes   = 16 << 20
	tailFor     = 20 * time.Second
	// tailText is how much of a text within a record is shown, letters.
	tailText = 300
)

// tailed are records of a topic, and what ended the reading.
type tailed struct {
	Records []tailedRecord `json:"records"`
	Ended   string         `json:"ended,omitempty"`  // the bound: max, max-bytes or for
	Behind  string         `json:"behind,omitempty"` // the record that was read last
	As      string         `json:"as"`               // whose converters have read them
}

// tailedRecord is a record of a topic as the page shows it.
type tailedRecord struct {
	shown
	JSON       string        `json:"json"` // the value, long texts shortened
	Headers    []shownHeader `json:"headers"`
	Errors     []string      `json:"errors"`
	KeyBytes   int           `json:"keyBytes"`
	ValueBytes int           `json:"valueBytes"`
}

type shownHeader struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (p *Page) tail(r *http.Request) (any, error) {
	t := topics.Tail{Topic: r.PathValue("topic"), From: r.FormValue("from"), Key: r.FormValue("key"), Bytes: tailBytes, For: tailFor, Now: time.Now()}
	if t.From == "" {
		t.From = "-10"
	}
	var err error
	if t.Max, err = whole(r, "max", 50, 1, tailRecords); err != nil {
		return nil, err
	}
	if t.Partition, err = whole(r, "partition", -1, 0, 1<<20); err != nil {
		return nil, err
	}
	if err := p.mayRead(t.Topic); err != nil {
		return nil, err
	}
	answer := tailed{Records: []tailedRecord{}, As: p.reader(t.Topic, r.FormValue("as"))}
	if t.Decoder, err = p.decoder(answer.As, t.Topic); err != nil {
		return nil, err
	}
	defer t.Decoder.Close()
	if t.Client, err = p.open(r.Context(), "consumer"); err != nil {
		return nil, err
	}
	defer t.Client.Close()
	ended, err := t.Each(r.Context(), func(x *topics.Record) error {
		answer.Records = append(answer.Records, p.tailed(x))
		return nil
	})
	answer.Ended, answer.Behind = ended.By, ended.Behind
	if err != nil && connector.KindOf(err) == connector.KindUnmarked && !errors.Is(err, kafka.ErrUnknownTopic) {
		err = failed(http.StatusBadRequest, "%w", err)
	}
	return answer, err
}

// mayRead refuses topics that hold what connectors log in with.
func (p *Page) mayRead(topic string) error {
	if slices.Contains(p.o.Kept, topic) {
		return failed(http.StatusForbidden, "topic %s: workers keep their state there, with logins in it: the page does not show it, hydraulics topics tail does with rights of Kafka's", topic)
	}
	return nil
}

// The readers that are no connectors.
const (
	asWorker = ""     // the worker's converters
	asText   = "text" // none: text, or base64
)

// reader says whose converters read a topic: those asked for, else of a connector that
// uses it.
func (p *Page) reader(topic, asked string) string {
	switch asked {
	case "worker":
		return asWorker
	case "":
		if users := p.users()[topic]; len(users) > 0 {
			return users[0]
		}
	}
	return asked
}

// decoder makes the converters of a reader.
func (p *Page) decoder(reader, topic string) (topics.Decoder, error) {
	if reader == asText {
		return topics.Decoder{}, nil
	}
	var props connector.Props
	var from config.Origin
	if reader != asWorker {
		i, err := p.o.Herder.Info(reader)
		if err != nil {
			return topics.Decoder{}, err
		}
		props, from = i.Config, i.Origin()
	}
	d, err := p.o.Decoder(props, from, topic)
	if err != nil {
		return d, failed(http.StatusConflict, "%w: have the records read as text", err)
	}
	return d, nil
}

// tailed shows a record of a topic.
func (p *Page) tailed(x *topics.Record) tailedRecord {
	m := x.Message
	r := connector.NewRecord(m.Topic, x.Key.Schema, x.Key.Value, x.Value.Schema, x.Value.Value)
	r.Origin = connector.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}
	s := tailedRecord{shown: p.show(runtime.Tapped{Time: x.Time(), Record: r}), JSON: pretty(x.Value.JSON), Headers: headers(m.Headers),
		Errors: append([]string{}, x.Errors...), KeyBytes: len(m.Key), ValueBytes: len(m.Value)}
	if m.Key != nil {
		s.Key = output.Clip(topics.Text(x.Key.JSON), tailText)
	}
	return s
}

func headers(list []kafka.Header) []shownHeader {
	all := []shownHeader{}
	for _, h := range list {
		all = append(all, shownHeader{h.Key, output.BytesOf(h.Value).String()})
	}
	return all
}

// pretty gives JSON with each field in a line, and long texts, such as of pictures,
// shortened.
func pretty(v json.RawMessage) string {
	var short, lines bytes.Buffer
	for i := 0; i < len(v); {
		if v[i] != '"' {
			short.WriteByte(v[i])
			i++
			continue
		}
		end := i + 1
		for end < len(v)-1 && v[end] != '"' {
			if v[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(v))
		short.Write(clip(v[i:end]))
		i = end
	}
	if json.Indent(&lines, short.Bytes(), "", "  ") != nil {
		return short.String()
	}
	return lines.String()
}

// clip shortens one text of JSON.
func clip(text []byte) []byte {
	var s string
	if len(text) <= tailText || json.Unmarshal(text, &s) != nil {
		return text
	}
	b, err := json.Marshal(output.Clip(s, tailText))
	if err != nil {
		return text
	}
	return b
}
