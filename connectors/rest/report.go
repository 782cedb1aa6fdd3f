package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// mostReported is how much of an answer goes to a topic, for each record of its
// request.
const mostReported = 8 << 10

// reports say where the service's answers go; empty is nowhere.
type reports struct {
	taken, refused string // topics
	publish        func(context.Context, connector.Message) error
}

func newReports(c connector.Context, conf connector.Config) reports {
	topic := func(key string) string { return strings.ReplaceAll(conf.String(key), "${connector}", c.Connector) }
	return reports{topic("report.topic"), topic("report.errors.topic"), c.Publish}
}

// Publishes tells that answers go to a topic.
func (*Sink) Publishes(conf connector.Config) bool {
	return conf.String("report.topic")+conf.String("report.errors.topic") != ""
}

// Topics names the topics that answers go to.
func (*Sink) Topics(c connector.Context, conf connector.Config) []string {
	r := newReports(c, conf)
	return []string{r.taken, r.refused}
}

// reply is what the service answered.
type reply struct {
	code int // 0 without an answer
	text string
}

// reply keeps an answer, where it is reported, without secrets.
func (s *Sink) reply(code int, said []byte, login string) reply {
	r := reply{code: code}
	if s.reports.taken+s.reports.refused != "" {
		text := mask(string(said), inOrder(s.own(login)))
		r.text = strings.ToValidUTF8(text[:min(len(text), mostReported)], "")
	}
	return r
}

// reported is what a topic gets of a record.
type reported struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Status    int    `json:"status,omitempty"`
	Answer    string `json:"answer,omitempty"`
	Error     string `json:"error,omitempty"`
}

// publish sends what became of the records to the topics for it, in order.
func (w *work) publish(ctx context.Context) error {
	for i, f := range w.fates {
		topic := w.s.reports.taken
		if f.err != nil {
			topic = w.s.reports.refused
		}
		if topic == "" || f.err == nil && f.reply.code == 0 {
			continue
		}
		r := &w.records[i]
		value := reported{r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, f.reply.code, f.reply.text, ""}
		if f.err != nil {
			value.Error = f.err.Error()
		}
		text, err := json.Marshal(value)
		if err != nil {
			return connector.Fatal(err) // it always has a form
		}
		key, err := reportKey(r)
		if err == nil {
			err = w.s.reports.publish(ctx, connector.Message{Topic: topic, Key: key, Value: text})
		}
		if err != nil {
			return fmt.Errorf("answer to topic %s: %w", topic, err)
		}
	}
	return nil
}

// reportKey gives a record's key as bytes: text as it is, and everything else as
// JSON.
func reportKey(r *connector.Record) ([]byte, error) {
	switch key := r.Key.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(key), nil
	case []byte:
		return key, nil
	}
	return plainjson.Append(nil, r.KeySchema, r.Key)
}
