package rates

import (
	"slices"
	"time"
)

// Join sums up the samples of several workers, which have taken them at times of their
// own: in those of the one that has the most. It ends where one has none yet.
func Join(lists ...[]Sample) []Sample {
	if len(lists) == 0 {
		return []Sample{}
	}
	slices.SortStableFunc(lists, func(a, b []Sample) int { return len(b) - len(a) })
	sum := make([]Sample, 0, len(lists[0]))
	for _, s := range lists[0] {
		for _, other := range lists[1:] {
			if len(other) > 0 && other[len(other)-1].Time.Before(s.Time.Add(-s.long()/2)) {
				return sum
			}
			s.add(other)
		}
		sum = append(sum, s)
	}
	return sum
}

func (s Sample) long() time.Duration { return time.Duration(s.Seconds * float64(time.Second)) }

// add adds what another worker did in the same time, for as much of it as that has samples.
func (s *Sample) add(other []Sample) {
	begin := s.Time.Add(-s.long())
	var in, out, covered float64
	var lag *int64
	for _, o := range other {
		from, to := o.Time.Add(-o.long()), o.Time
		if from.Before(begin) {
			from = begin
		}
		if s.Time.Before(to) {
			to = s.Time
		}
		both := to.Sub(from).Seconds()
		if both <= 0 {
			continue
		}
		in, out, covered, lag = in+o.In*both, out+o.Out*both, covered+both, o.Lag
		if !o.Time.After(s.Time) {
			s.Errors += o.Errors
		}
	}
	if covered == 0 {
		return
	}
	s.In, s.Out = round(s.In+in/covered), round(s.Out+out/covered)
	if lag != nil {
		all := *lag
		if s.Lag != nil {
			all += *s.Lag
		}
		s.Lag = &all
	}
}
