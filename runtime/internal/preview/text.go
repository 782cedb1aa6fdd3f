package preview

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/output"
)

// longest is how much of a value or an effect people are shown, in letters.
const (
	longestValue = 120
	longestText  = 4000
)

// Write shows a result to people.
func Write(out io.Writer, r *Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n", r.Connector, r.Kind, r.From)
	for i := range r.Records {
		writeRecord(&b, &r.Records[i])
	}
	for _, e := range r.Effects {
		fmt.Fprintf(&b, "\nwould %s%s\n", e.Does, of(r, e.Records))
		if e.Text != "" {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(output.Clip(e.Text, longestText), "\n", "\n    "))
		}
		for _, w := range e.Warnings {
			fmt.Fprintf(&b, "    warning: %s\n", w)
		}
	}
	b.WriteString("\n")
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	if r.Stopped != "" {
		fmt.Fprintf(&b, "the task would end: %s\n", r.Stopped)
	}
	fmt.Fprintf(&b, "%s; nothing was written\n", sum(r))
	_, err := io.WriteString(out, b.String())
	return err
}

func writeRecord(b *strings.Builder, r *Record) {
	fmt.Fprintf(b, "\n%s\n", r.Record)
	for _, s := range r.Steps {
		if len(s.Changes) == 0 {
			fmt.Fprintf(b, "  %s: unchanged\n", s.Stage)
			continue
		}
		fmt.Fprintf(b, "  %s\n", s.Stage)
		for _, line := range lines(s.Changes) {
			fmt.Fprintf(b, "    %s\n", line)
		}
	}
	fmt.Fprintf(b, "  => %s\n", r.end())
}

// mostRemoved is how many removed fields have a line each.
const mostRemoved = 3

// lines gives changes as lines; many removed fields share one.
func lines(changes []Change) []string {
	var list, removed []string
	for _, c := range changes {
		if c.After == nil {
			removed = append(removed, c.Field)
		}
	}
	for _, c := range changes {
		if c.After != nil || len(removed) <= mostRemoved {
			list = append(list, c.String())
		}
	}
	if len(removed) > mostRemoved {
		list = append(list, "- "+strings.Join(removed, ", "))
	}
	return list
}

// end says in a line what would become of the record.
func (r *Record) end() string {
	switch r.Fate {
	case Delivered:
		if r.Topic == "" {
			return "delivered to the sink"
		}
		return fmt.Sprintf("delivered to topic %s, key %d bytes, value %d bytes", r.Topic, r.KeySize, r.ValueSize)
	case Passed:
		if r.Topic == "" {
			return "on its way to the sink"
		}
		return fmt.Sprintf("on its way to topic %s, key %d bytes, value %d bytes", r.Topic, r.KeySize, r.ValueSize)
	case Kept:
		return "of before: what became of it is not known"
	case Unknown:
		return "given to the sink"
	case Dropped:
		return "dropped by " + r.Stage
	case DeadLettered:
		return fmt.Sprintf("dead letter in topic %s: %s: %s", r.Topic, r.Stage, r.Reason)
	case Skipped:
		return fmt.Sprintf("skipped, without a dead letter: %s: %s", r.Stage, r.Reason)
	case Retried:
		return fmt.Sprintf("tried again until it works: %s: %s", r.Stage, r.Reason)
	case Stops:
		return fmt.Sprintf("ends the task: %s: %s", r.Stage, r.Reason)
	}
	return string(r.Fate)
}

// String gives a change as a line: + added, - removed, ~ changed.
func (c Change) String() string {
	before, after := Brief(c.Before), Brief(c.After)
	if c.BeforeType != "" {
		before += " (" + c.BeforeType + ")"
		after += " (" + c.AfterType + ")"
	}
	switch {
	case c.Before == nil:
		return "+ " + c.Field + " = " + after
	case c.After == nil:
		return "- " + c.Field + " (was " + before + ")"
	}
	return "~ " + c.Field + ": " + before + " -> " + after
}

// pngHead is how a PNG begins in base64, and pngBytes how much of it has its size.
const (
	pngHead  = `"iVBORw0KGgo`
	pngBytes = 24
)

// Brief gives JSON as a short text: the size of a picture or of other long bytes in
// place of them.
func Brief(v json.RawMessage) string {
	text := string(v)
	if strings.HasPrefix(text, pngHead) && len(text) > 2+base64.StdEncoding.EncodedLen(pngBytes) {
		head, err := base64.StdEncoding.DecodeString(text[1 : 1+base64.StdEncoding.EncodedLen(pngBytes)])
		if err == nil {
			size := base64.StdEncoding.DecodedLen(len(text)-2) - strings.Count(text[len(text)-4:], "=")
			return fmt.Sprintf("PNG %d x %d, %d bytes", binary.BigEndian.Uint32(head[16:]), binary.BigEndian.Uint32(head[20:]), size)
		}
	}
	return output.Clip(plain(text), longestValue)
}

// plain gives the JSON of a text without the escapes that are for web pages.
func plain(text string) string {
	var s string
	if !strings.HasPrefix(text, `"`) || json.Unmarshal([]byte(text), &s) != nil {
		return text
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return text
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// of says which records an effect is made of, where that are not all.
func of(r *Result, which []int) string {
	if len(which) == 0 || len(r.Records) == 1 {
		return ""
	}
	const most = 5
	var names []string
	for _, i := range which[:min(most, len(which))] {
		names = append(names, r.Records[i].Record)
	}
	if len(which) > most {
		names = append(names, fmt.Sprintf("and %d more", len(which)-most))
	}
	return " [" + strings.Join(names, ", ") + "]"
}

// sum says how many records have which fate.
func sum(r *Result) string {
	if len(r.Records) == 0 {
		return "no records"
	}
	var parts []string
	for _, f := range []Fate{Delivered, Unknown, Dropped, DeadLettered, Skipped, Retried, Stops, NotReached} {
		if n := r.Count(f); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, f))
		}
	}
	return fmt.Sprintf("%d records: %s", len(r.Records), strings.Join(parts, ", "))
}
