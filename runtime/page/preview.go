package page

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

// The bounds of a preview on the page.
const (
	previewRecords = 100
	previewWait    = 10 * time.Second
	previewFor     = 2 * time.Minute
)

var errPreviewFor = errors.New("the preview takes more than two minutes: take fewer records, or go offline")

// previewOrder is which preview is asked for.
type previewOrder struct {
	configured
	Records int                    `json:"records"` // how many are taken
	Topics  []string               `json:"topics"`  // in the place of the connector's
	Input   []runtime.PreviewInput `json:"input"`   // in the place of records of topics or a source
	Offline bool                   `json:"offline"`
	Execute bool                   `json:"execute"`
}

// shownPreview is a preview as the page shows it.
type shownPreview struct {
	*preview.Result
	Records []shownJourney `json:"records"`
	Took    float64        `json:"seconds"`
}

type shownJourney struct {
	preview.Record
	Steps   []shownStep `json:"steps"`
	Arrives bool        `json:"arrives"`
}

type shownStep struct {
	Stage   string        `json:"stage"`
	Changes []shownChange `json:"changes"`
	// Fields are the whole record as the stage left it, where one stage is looked at.
	Fields []shownChange `json:"fields,omitempty"`
}

// shownChange is a change with short values; of a picture it has the address.
type shownChange struct {
	Field   string `json:"field"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	Was     bool   `json:"was"` // it was there before
	Is      bool   `json:"is"`  // it is there after
	Picture string `json:"picture,omitempty"`
}

// preview shows what a configuration would make of real records. Nothing is written
// anywhere; one preview is made at a time.
func (p *Page) preview(r *http.Request) (any, error) {
	order := previewOrder{Records: 10}
	if err := body(r, &order); err != nil {
		return nil, err
	}
	if order.Name == "" {
		return nil, failed(http.StatusBadRequest, "name: the connector needs one, for the preview too")
	}
	if order.Records < 1 || order.Records > previewRecords {
		return nil, failed(http.StatusBadRequest, "records: want 1 to %d", previewRecords)
	}
	props, from, err := p.complete(order.configured)
	if err != nil {
		return nil, err
	}
	text, _ := props.Text("topics")
	for _, topic := range append(config.SplitList(text), order.Topics...) {
		if err := p.mayRead(topic); err != nil {
			return nil, err
		}
	}
	if !p.showing.TryLock() {
		return nil, failed(http.StatusConflict, "another preview is being made: wait for it")
	}
	defer p.showing.Unlock()
	ctx, cancel := context.WithTimeoutCause(r.Context(), previewFor, errPreviewFor)
	defer cancel()
	began := time.Now()
	found, err := p.o.Preview(ctx, order.Name, props, from, runtime.PreviewOptions{Input: order.Input, Topics: order.Topics, Kept: p.o.Kept, Most: order.Records,
		Wait: previewWait, Offline: order.Offline, Execute: order.Execute})
	if err != nil {
		return nil, failed(http.StatusUnprocessableEntity, "%w", err)
	}
	s := shownPreview{Result: found, Records: []shownJourney{}, Took: time.Since(began).Seconds()}
	for i := range found.Records {
		s.Records = append(s.Records, p.journey(&found.Records[i]))
	}
	for i := range found.Effects {
		found.Effects[i].Text = output.Clip(found.Effects[i].Text, 10*tailText)
	}
	return s, nil
}

// journey shows a record's way through the stages.
func (p *Page) journey(x *preview.Record) shownJourney {
	j := shownJourney{Record: *x, Steps: []shownStep{}, Arrives: x.Fate.Arrives()}
	for _, step := range x.Steps {
		s := shownStep{Stage: step.Stage, Changes: []shownChange{}}
		for _, c := range step.Changes {
			s.Changes = append(s.Changes, p.change(c))
		}
		for _, f := range step.Fields {
			s.Fields = append(s.Fields, p.change(f))
		}
		j.Steps = append(j.Steps, s)
	}
	return j
}

func (p *Page) change(c preview.Change) shownChange {
	s := shownChange{Field: c.Field, Was: c.Before != nil, Is: c.After != nil}
	brief := func(v json.RawMessage, typ string) string {
		if v == nil {
			return ""
		}
		if typ != "" {
			typ = " (" + typ + ")"
		}
		return preview.Brief(v) + typ
	}
	s.Before, s.After = brief(c.Before, c.BeforeType), brief(c.After, c.AfterType)
	if text, ok := bytes.CutPrefix(c.After, []byte(`"`+pngMagic64)); ok {
		if png, err := base64.StdEncoding.DecodeString(pngMagic64 + string(bytes.TrimSuffix(text, []byte(`"`)))); err == nil {
			s.Picture = "picture/" + p.pictures.keep(png) + ".png"
		}
	}
	return s
}
