package ifcb

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// sample is what is known of a bin as a whole; nil is unknown.
type sample struct {
	volume, volumeSource, volumeReason any
	latitude, longitude, depth         any
	positionSource, positionReason     any
	tags, sampleType, runFlags         any
	temperature, humidity              any
	runTime, clockOffset, url          any

	typeName string   // of the sample, as written
	flags    []string // of the run
}

// runFields are the facts about a run that records of images and bins share, in the order of [sample.run].
var runFields = []connector.Field{
	connector.F("sample_type", connector.OptionalStringSchema.WithDoc("What was sampled, as dashboard or header say it, such as Normal or Beads; null when unknown.")),
	connector.F("run_flags", connector.OptionalStringSchema.WithDoc("What the run was, with commas between: beads, test, culture, cleaning, blank, calibration (no sample of the water), fast, alternate; null for none.")),
	connector.F("temperature", connector.OptionalFloat64Schema.WithDoc("Temperature in the instrument, degrees Celsius.")),
	connector.F("humidity", connector.OptionalFloat64Schema.WithDoc("Relative humidity in the instrument, %.")),
	connector.F("run_time", connector.OptionalFloat64Schema.WithDoc("How long the instrument took the sample, by its header, s.")),
	connector.F("clock_offset", connector.OptionalFloat64Schema.WithDoc("By how much the instrument's clock was ahead, by its header, s.")),
	connector.F("url", connector.OptionalStringSchema.WithDoc("Where it is at its dashboard: an image, or a bin without its extension; null for a folder.")),
}

// run are the values of the fields that records of images and bins share, but for the last.
func (s sample) run() []any {
	return []any{s.sampleType, s.runFlags, s.temperature, s.humidity, s.runTime, s.clockOffset}
}

// imageURL is where an image is at its dashboard.
func (s sample) imageURL(number int) any {
	if s.url == nil {
		return nil
	}
	return fmt.Sprintf("%s_%05d.png", s.url, number)
}

// kind says for people what was sampled.
func (s sample) kind() string {
	switch {
	case s.typeName != "":
		return "the sample type " + s.typeName
	case len(s.flags) > 0:
		return "runs of " + strings.Join(s.flags, ", ")
	}
	return "bins without sample type"
}

// newSample gathers the facts about a bin, from its files and from the dashboard. A number that cannot be, or stands for
// "unknown", replaces none.
func (l *timeline) newSample(id ifcb.BinID, table []ifcb.Target, header ifcb.Header, known dashboard.Details) sample {
	s := sample{typeName: header.SampleType(), flags: header.RunFlags()}
	if known.Tags != nil {
		s.tags = strings.Join(known.Tags, ",")
	}
	if known.SampleType != "" {
		s.typeName = known.SampleType
		s.flags = append(s.flags, ifcb.TypeFlags(known.SampleType)...)
		slices.Sort(s.flags)
		s.flags = slices.Compact(s.flags)
	}
	s.sampleType, s.runFlags = optionalText(s.typeName), optionalText(strings.Join(s.flags, ","))
	s.setVolume(ifcb.NewBin(id, table, header, nil, 0).Volume(), known)
	s.setPosition(id.Time(), header, known, l.opts.positionAge)
	s.depth = optionalNumber(header.Quantity("depth", ifcb.Depth))
	if d := known.Depth; d != nil && ifcb.Depth.Known(*d) {
		s.depth = *d
	}
	s.temperature = optionalNumber(header.Quantity("temperature", ifcb.Temperature))
	s.humidity = optionalNumber(header.Quantity("humidity", ifcb.Humidity))
	s.runTime = optionalNumber(header.Quantity("runTime", ifcb.RunTime))
	s.clockOffset = optionalNumber(header.ClockOffset(id.Time()))
	s.url = optionalText(l.site.URL(id))
	return s
}

// setVolume takes the volume that the files tell, else what the dashboard does.
func (s *sample) setVolume(files ifcb.Volume, known dashboard.Details) {
	switch said := known.Volume; {
	case files.ML > 0:
		s.volume, s.volumeSource = files.ML, files.Source
	case said != nil && ifcb.KnownVolume(*said):
		s.volume, s.volumeSource = *said, "dashboard"
	}
	s.volumeReason = optionalText(files.Reason)
}

// setPosition takes the dashboard's position, else the header's, unless its fix is older than that.
func (s *sample) setPosition(taken time.Time, header ifcb.Header, known dashboard.Details, oldest time.Duration) {
	why := ""
	if lat, lon := known.Latitude, known.Longitude; lat != nil && lon != nil {
		if ifcb.KnownPosition(*lat, *lon) {
			s.latitude, s.longitude, s.positionSource = *lat, *lon, "dashboard"
			return
		}
		why = fmt.Sprintf("the dashboard's %v, %v is no position", *lat, *lon)
	}
	if lat, lon, ok := header.Position(); ok {
		if age, told := header.FixAge(taken); !told || oldest < 0 || age <= oldest {
			s.latitude, s.longitude, s.positionSource = lat, lon, "header"
			return
		} else {
			why = fmt.Sprintf("the header's GPS fix is %s from the sample, the limit is %s", days(age), days(oldest))
		}
	}
	s.positionReason = optionalText(why)
}

// days writes a duration of days as such.
func days(d time.Duration) string {
	if d < 2*day {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%d days", d/day)
}

func optionalText(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func optionalNumber(v float64, known bool) any {
	if !known {
		return nil
	}
	return v
}
