package deadletters

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/dlq"
	"github.com/axiom-data-science/hydraulics/internal/output"
)

// Cause is why letters died.
type Cause struct {
	Connector string `json:"connector"`
	Stage     string `json:"stage"`
	Exception string `json:"exception"`
}

// Causes is a cause with what there is of it.
type Causes struct {
	Cause
	Letters int       `json:"letters"`
	First   time.Time `json:"first,omitzero"` // the oldest timestamp of a record
	Last    time.Time `json:"last,omitzero"`
	Example string    `json:"example"` // the text of the last letter's error
}

// Causes gives the letters by cause, the most frequent one first.
func (s *Source) Causes(ctx context.Context) ([]*Causes, error) {
	found := map[Cause]*Causes{}
	err := s.Each(ctx, func(l dlq.Letter) error {
		why := Cause{l.Connector, l.Stage, l.Exception}
		x, ok := found[why]
		if !ok {
			x = &Causes{Cause: why}
			found[why] = x
		}
		x.add(l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]*Causes, 0, len(found))
	list = slices.AppendSeq(list, maps.Values(found))
	slices.SortFunc(list, func(a, b *Causes) int {
		return cmp.Or(cmp.Compare(b.Letters, a.Letters), cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Exception, b.Exception))
	})
	return list, nil
}

// List prints the letters by cause, the most frequent one first.
func (s *Source) List(ctx context.Context, out io.Writer, form output.Form) error {
	list, err := s.Causes(ctx)
	if err != nil {
		return err
	}
	table := output.Table{Columns: []string{"LETTERS", "CONNECTOR", "STAGE", "EXCEPTION", "LAST", "EXAMPLE"}}
	for _, x := range list {
		last := "-"
		if !x.Last.IsZero() {
			last = x.Last.UTC().Format(time.RFC3339)
		}
		table.Add(strconv.Itoa(x.Letters), known(x.Connector), known(x.Stage), known(x.Exception[strings.LastIndexByte(x.Exception, '.')+1:]), last, output.Line(x.Example))
	}
	return form.Print(out, list, table)
}

func (x *Causes) add(l dlq.Letter) {
	x.Letters++
	x.Example = l.Text
	if l.Message.Timestamp == connector.NoTimestamp {
		return
	}
	at := time.UnixMilli(l.Message.Timestamp).UTC()
	if x.First.IsZero() || at.Before(x.First) {
		x.First = at
	}
	if at.After(x.Last) {
		x.Last = at
	}
}

// known gives a text, or that there is none: letters without context headers.
func known(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
