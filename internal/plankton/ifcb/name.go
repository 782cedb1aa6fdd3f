package ifcb

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schema tells the two file formats apart.
type Schema int

const (
	// SchemaV1 is the format of the instruments IFCB1 to IFCB6: 15 columns in the .adc, cut particles.
	SchemaV1 Schema = 1
	// SchemaV2 is the format of instruments 7 and up: 24 columns in the .adc.
	SchemaV2 Schema = 2
)

// BinID names one bin. The zero value names none. Values compare with ==.
type BinID struct {
	lid    string
	ifcb   string
	unix   int64
	schema Schema
}

// TargetID names one target of a bin by its line in the .adc file.
type TargetID struct {
	Bin    BinID
	Number int // from 1
}

var (
	newLid     = regexp.MustCompile(`^D(\d{8}T\d{6})_(IFCB\d{3})$`)
	oldLid     = regexp.MustCompile(`^(IFCB\d)_(\d{4}_\d{3}_\d{6})$`)
	renamedLid = regexp.MustCompile(`^I(\d{8}T\d{6})_IFCB00(\d)$`)
)

// ParseBinID reads a lid, or a pid: the lid behind the last slash counts, so that a URL which names another host
// means the same bin. The names that iRfcb gives to old bins ("I20120128T081515_IFCB005") are read and turned into
// the instrument's own form.
func ParseBinID(s string) (BinID, error) {
	lid := path.Base(strings.TrimSpace(s))
	if m := newLid.FindStringSubmatch(lid); m != nil {
		return newBinID(lid, m[2], "20060102T150405", m[1], SchemaV2)
	}
	if m := oldLid.FindStringSubmatch(lid); m != nil {
		return newBinID(lid, m[1], "2006_002_150405", m[2], SchemaV1)
	}
	if m := renamedLid.FindStringSubmatch(lid); m != nil {
		id, err := newBinID(lid, "IFCB"+m[2], "20060102T150405", m[1], SchemaV1)
		if err != nil {
			return BinID{}, err
		}
		id.lid = id.ifcb + "_" + id.Time().Format("2006_002_150405")
		return id, nil
	}
	return BinID{}, fmt.Errorf("bin name %q: want a name like D20190728T212639_IFCB104 or IFCB5_2012_028_081515", s)
}

func newBinID(lid, ifcb, layout, stamp string, schema Schema) (BinID, error) {
	t, err := time.Parse(layout, stamp)
	if err != nil {
		return BinID{}, fmt.Errorf("bin name %q: %s is no date and time", lid, stamp)
	}
	return BinID{lid: lid, ifcb: ifcb, unix: t.Unix(), schema: schema}, nil
}

// NewBinID names the bin that the instrument with this number takes at t (UTC, whole seconds): instruments 1 to 6
// get the old form of name, 7 to 999 the new one.
func NewBinID(instrument int, t time.Time) (BinID, error) {
	t = t.UTC()
	switch {
	case instrument >= 1 && instrument <= 6:
		return ParseBinID(fmt.Sprintf("IFCB%d_%s", instrument, t.Format("2006_002_150405")))
	case instrument >= 7 && instrument <= 999:
		return ParseBinID(fmt.Sprintf("D%s_IFCB%03d", t.Format("20060102T150405"), instrument))
	}
	return BinID{}, fmt.Errorf("instrument %d: want a number from 1 to 999", instrument)
}

// String is the lid.
func (b BinID) String() string { return b.lid }

// IsZero tells whether b names no bin.
func (b BinID) IsZero() bool { return b.lid == "" }

// IFCB is the instrument as it stands in the lid: "IFCB104", "IFCB5".
func (b BinID) IFCB() string { return b.ifcb }

// Instrument is the instrument's number.
func (b BinID) Instrument() int {
	n, _ := strconv.Atoi(strings.TrimPrefix(b.ifcb, "IFCB"))
	return n
}

// Time is when the sample was taken, in UTC.
func (b BinID) Time() time.Time { return time.Unix(b.unix, 0).UTC() }

// Schema is the generation of the instrument's files.
func (b BinID) Schema() Schema { return b.schema }

// Day is the name of the directory that keeps the bins of b's day: "D20190728", "IFCB5_2012_028".
func (b BinID) Day() string {
	if b.schema == SchemaV1 {
		return b.ifcb + "_" + b.Time().Format("2006_002")
	}
	return "D" + b.Time().Format("20060102")
}

// Target names a target of b.
func (b BinID) Target(number int) TargetID { return TargetID{Bin: b, Number: number} }

// Compare orders bins by time, then by name.
func (b BinID) Compare(c BinID) int {
	return cmp.Or(cmp.Compare(b.unix, c.unix), cmp.Compare(b.lid, c.lid))
}

// NewestFirst sorts bins, in place, and leaves out repeats.
func NewestFirst(bins []BinID) []BinID {
	slices.SortFunc(bins, func(a, b BinID) int { return b.Compare(a) })
	return slices.Compact(bins)
}

// ParseTargetID reads "D20190728T212639_IFCB104_00002", with or without a URL before it. The number may be written
// with fewer digits than five.
func ParseTargetID(s string) (TargetID, error) {
	base := path.Base(strings.TrimSpace(s))
	cut := strings.LastIndexByte(base, '_')
	if cut < 0 {
		return TargetID{}, fmt.Errorf("target name %q: want a name like D20190728T212639_IFCB104_00002", s)
	}
	bin, err := ParseBinID(base[:cut])
	if err != nil {
		return TargetID{}, fmt.Errorf("target name %q: want a name like D20190728T212639_IFCB104_00002", s)
	}
	number, err := parseTargetNumber(base[cut+1:])
	if err != nil {
		return TargetID{}, fmt.Errorf("target name %q: %w", s, err)
	}
	return bin.Target(number), nil
}

func parseTargetNumber(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is no target number: want the line of the .adc file, from 1", s)
	}
	return int(n), nil
}

// String is the key of the target's record and the stem of its file name: "D20190728T212639_IFCB104_00002".
func (t TargetID) String() string { return fmt.Sprintf("%s_%05d", t.Bin.lid, t.Number) }
