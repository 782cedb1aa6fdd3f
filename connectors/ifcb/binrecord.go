package ifcb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// BinSchema is the schema of the values on bins.topic; keys are the bins' names. A later record of a bin replaces an
// earlier one.
var BinSchema = connector.StructOf("ifcb.Bin", slices.Concat([]connector.Field{
	connector.F("pid", connector.StringSchema.WithDoc("Name of the bin, such as D20190728T212639_IFCB104.")),
	connector.F("dataset", connector.StringSchema.WithDoc("Dataset or time series of the dashboard.")),
	connector.F("dashboard", connector.StringSchema.WithDoc("URL of the dashboard, or of the folder of raw files.")),
	connector.F("ifcb_id", connector.StringSchema.WithDoc("Instrument, such as IFCB104.")),
	connector.F("time", connector.Int64Schema.WithDoc("When the sample was taken, seconds since 1970 UTC.")),
	connector.F("status", connector.StringSchema.WithDoc("complete, partial, failed, empty or skipped.")),
	connector.F("reason", connector.OptionalStringSchema.WithDoc("Why it is not complete.")),
	connector.F("expected", connector.OptionalInt32Schema.WithDoc("Images that the bin has; null when unknown.")),
	connector.F("ingested", connector.Int32Schema.WithDoc("Images that were published.")),
	connector.F("failed", connector.Int32Schema.WithDoc("Images that could not be had.")),
	connector.F("ml_analyzed", connector.OptionalFloat64Schema.WithDoc("Volume of water that was looked at, ml; null when unknown, never 0.")),
	connector.F("latitude", connector.OptionalFloat64Schema.WithDoc("Where the sample was taken, degrees north.")),
	connector.F("longitude", connector.OptionalFloat64Schema.WithDoc("Where the sample was taken, degrees east.")),
	connector.F("depth", connector.OptionalFloat64Schema.WithDoc("Depth of the sample, m.")),
	connector.F("tags", connector.OptionalStringSchema.WithDoc("Tags of the bin, with commas between them; null when unknown.")),
	connector.F("updated", connector.TimestampSchema.WithDoc("When the record was made.")),
	connector.F("ml_analyzed_source", connector.OptionalStringSchema.WithDoc("Who told ml_analyzed: header, adc, each a part, or dashboard.")),
	connector.F("ml_analyzed_reason", connector.OptionalStringSchema.WithDoc("Why ml_analyzed is unknown, or which witness says another thing.")),
	connector.F("position_source", connector.OptionalStringSchema.WithDoc("Who told the position: dashboard or header.")),
	connector.F("position_reason", connector.OptionalStringSchema.WithDoc("Why a position that was told is not believed.")),
}, runFields)...)

// report is what became of a bin.
type report struct {
	id               ifcb.BinID
	status           string
	reason           string
	expected         any // int32, or nil
	ingested, failed int
	sample           sample
}

// tell makes the record of a bin that is settled. It carries the ledger's offset: with it, and not before, the bin
// need not come again.
func (l *timeline) tell(r report) []connector.SourceRecord {
	if l.opts.binsTopic == "" {
		return nil
	}
	var why any
	if r.reason != "" {
		why = r.reason
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	s := r.sample
	values := append([]any{r.id.String(), l.address.Series(), l.address.Base, r.id.IFCB(), r.id.Time().Unix(), r.status, why,
		r.expected, int32(r.ingested), int32(r.failed), s.volume, s.latitude, s.longitude, s.depth, s.tags, now,
		s.volumeSource, s.volumeReason, s.positionSource, s.positionReason}, append(s.run(), s.url)...)
	record := connector.NewRecord(l.opts.binsTopic, connector.StringSchema, r.id.String(), BinSchema, nil)
	if l.opts.format == formatJSON {
		plain := make(map[string]any, len(values))
		for i, f := range BinSchema.Fields() {
			plain[f.Name] = values[i]
		}
		plain["updated"] = now.UnixMilli()
		record.ValueSchema, record.Value = nil, plain
	} else {
		record.Value = connector.StructFrom(BinSchema, values)
	}
	return []connector.SourceRecord{{Record: record, SourcePartition: l.partition(), SourceOffset: l.offset}}
}

// reportDone tells of a bin whose images were all asked for.
func (l *timeline) reportDone(b *bin) []connector.SourceRecord {
	r := report{id: b.id, status: ifcb.BinComplete, reason: b.why, expected: int32(b.expected), ingested: b.given, failed: len(b.missing), sample: b.sample}
	switch {
	case len(b.missing) > 0 && b.given == 0:
		r.status = ifcb.BinFailed
	case len(b.missing) > 0:
		r.status = ifcb.BinPartial
	case b.short != nil:
		r.status, r.reason = ifcb.BinPartial, reason(b.short)
	case b.expected == 0:
		r.status = ifcb.BinEmpty
	}
	return l.tell(r)
}

// leaveOut settles a bin that is not wanted. One that was left out before and still is adds nothing.
func (l *timeline) leaveOut(id ifcb.BinID, why *leftOut) []connector.SourceRecord {
	if why.reason == "" {
		l.settle(id)
		return nil
	}
	if l.ledger.skipped[id] {
		l.queue.remove(id)
		return nil
	}
	l.settle(id)
	if why.asked {
		l.rememberSkipped(id)
	}
	l.metrics.skipped.Add(1)
	l.log.Info("bin skipped", "bin", id.String(), "reason", why.reason)
	return l.tell(report{id: id, status: ifcb.BinSkipped, reason: why.reason, sample: why.sample})
}

// giveUp settles a bin whose images cannot be had.
func (l *timeline) giveUp(ctx context.Context, id ifcb.BinID, why error) []connector.SourceRecord {
	came := l.queue.progress(id)
	l.settle(id)
	if l.opts.binsTopic == "" {
		return nil
	}
	r := report{id: id, status: ifcb.BinFailed, reason: reason(why), ingested: came.given, failed: len(came.missing)}
	if facts, err := l.site.facts(ctx, id); err == nil {
		numbers := ifcb.ServedNumbers(id, facts.table)
		if came.given == 0 { // a run before this one may have given some
			for _, n := range numbers {
				if !came.wants(n) {
					r.ingested++
				}
			}
		}
		expected := len(numbers) + len(ifcb.Unreadable(facts.table))
		r.expected, r.failed = int32(expected), expected-r.ingested
		known, err := l.ask(ctx, id)
		if err != nil {
			known = dashboard.Details{}
		}
		r.sample = l.newSample(id, facts.table, facts.header, known)
	}
	if r.ingested > 0 {
		r.status, r.reason = ifcb.BinPartial, fmt.Sprintf("given up behind image %d: %s", came.after, r.reason)
	}
	return l.tell(r)
}
