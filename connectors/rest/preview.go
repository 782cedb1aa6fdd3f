package rest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
)

var _ connector.Previewer = (*Sink)(nil)

// Preview shows the requests. None is sent.
func (s *Sink) Preview(ctx context.Context, c connector.Context, conf connector.Config, records []connector.Record) error {
	c.Failed = nil // nothing is asked
	if err := s.Start(ctx, c, conf); err != nil {
		return err
	}
	w := s.newWork(records)
	if err := w.fill(); err != nil {
		return err
	}
	for i, f := range w.fates {
		if f.err != nil && s.reporter != nil {
			if err := s.reporter.Report(ctx, records[i], f.err); err != nil {
				return err
			}
		}
	}
	for _, g := range w.groups() {
		messages := w.messages[g.first:g.last]
		r := s.newRequest(ctx, messages[0].to, "", w.id(g), w.body(g))
		e := connector.Effect{Does: fmt.Sprintf("send %d records: %s %s", len(messages), r.Method, place(r.URL))}
		for _, m := range messages {
			e.Records = append(e.Records, m.record)
		}
		var err error
		if e.Text, err = shown(r); err != nil {
			return err
		}
		c.Preview.Would(e)
	}
	return nil
}

// plainHeaders hold nothing that is secret.
var plainHeaders = []string{"Accept", "Content-Type", "User-Agent"}

// shown gives a request as text. What may be a secret is hidden: the values of the
// URL's query, and of headers but a few.
func shown(r *http.Request) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.Method, r.URL.EscapedPath())
	for i, name := range slices.Sorted(maps.Keys(r.URL.Query())) {
		b.WriteString([]string{"?", "&"}[min(i, 1)] + name + "=[hidden]")
	}
	fmt.Fprintf(&b, "\nHost: %s\n", r.Host)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			if !slices.Contains(plainHeaders, name) {
				v = "[hidden]"
			}
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	if r.Body == nil {
		return b.String(), nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	if utf8.Valid(body) {
		return b.String() + "\n" + string(body), nil
	}
	return fmt.Sprintf("%s\n(%d bytes)", b.String(), len(body)), nil
}
