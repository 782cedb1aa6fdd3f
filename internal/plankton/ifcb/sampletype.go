package ifcb

import (
	"regexp"
	"slices"
	"strings"
)

// Run flags: what a run was, as far as it matters to who counts cells. All but fast and alternate mean that what was
// looked at is no sample of the water.
const (
	RunBeads       = "beads"
	RunTest        = "test"
	RunCulture     = "culture"
	RunCleaning    = "cleaning"
	RunBlank       = "blank"
	RunCalibration = "calibration"
	RunFast        = "fast"      // the syringe was emptied faster than usual
	RunAlternate   = "alternate" // with the second set of hardware settings
)

// runWords tell a run's flag from the words of its sample type.
var runWords = []struct {
	flag string
	word *regexp.Regexp
}{
	{RunBeads, regexp.MustCompile(`(?i)(^|[^a-z])bead`)},
	{RunTest, regexp.MustCompile(`(?i)(^|[^a-z])test`)},
	{RunCulture, regexp.MustCompile(`(?i)(^|[^a-z])cultur`)},
	{RunCleaning, regexp.MustCompile(`(?i)(^|[^a-z])(clean|bleach|biocide)`)},
	{RunBlank, regexp.MustCompile(`(?i)(^|[^a-z])blank`)},
	{RunCalibration, regexp.MustCompile(`(?i)(^|[^a-z])calibrat`)},
	{RunAlternate, regexp.MustCompile(`(?i)(^|[^a-z])alt(ernate)?($|[^a-z])`)},
}

// IsSample tells whether a run with these flags looked at a sample of the water.
func IsSample(flags []string) bool {
	return !slices.ContainsFunc(flags, func(f string) bool { return f != RunFast && f != RunAlternate })
}

// TypeFlags are the run flags that a sample type means, in a fixed order.
func TypeFlags(sampleType string) []string {
	var flags []string
	for _, r := range runWords {
		if r.word.MatchString(sampleType) {
			flags = append(flags, r.flag)
		}
	}
	return flags
}

// SampleType is what the header says was sampled, as written ("Normal", "Beads"); empty where it does not.
func (h Header) SampleType() string {
	for _, key := range []string{"sampleType", "runType"} {
		if v, _ := h.Get(key); v != "" {
			return v
		}
	}
	return ""
}

// RunFlags are those of the header's sample type and switches, in a fixed order.
func (h Header) RunFlags() []string {
	flags := TypeFlags(h.SampleType())
	for key, flag := range map[string]string{"runBeads": RunBeads, "runSampleFast": RunFast, "TestMode": RunTest} {
		if h.Set(key) {
			flags = append(flags, flag)
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}

// SampleTypes chooses bins by their sample type: names to take, or with a ! before them to leave out. The zero value
// takes all.
type SampleTypes struct{ take, leave []string }

// NewSampleTypes reads a list of names. Each stands for what is written in header or dashboard, without regard to case,
// for a run flag, and normal for a bin without either.
func NewSampleTypes(names []string) SampleTypes {
	var s SampleTypes
	for _, name := range names {
		if left, ok := strings.CutPrefix(name, "!"); ok {
			s.leave = append(s.leave, typeNames(left)...)
		} else {
			s.take = append(s.take, typeNames(name)...)
		}
	}
	return s
}

func typeNames(sampleType string) []string {
	return append(TypeFlags(sampleType), strings.ToLower(strings.TrimSpace(sampleType)))
}

// IsZero tells whether all bins are wanted.
func (s SampleTypes) IsZero() bool { return len(s.take) == 0 && len(s.leave) == 0 }

// Wants tells whether a bin of a sample type and with these run flags is wanted.
func (s SampleTypes) Wants(sampleType string, flags []string) bool {
	names := append(typeNames(sampleType), flags...)
	if IsSample(flags) && sampleType == "" {
		names = append(names, "normal")
	}
	has := func(list []string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return n != "" && slices.Contains(list, n) })
	}
	return !has(s.leave) && (len(s.take) == 0 || has(s.take))
}
