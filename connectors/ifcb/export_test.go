package ifcb

import "time"

// LookNow has the next poll look for new bins.
func (s *Source) LookNow() {
	for _, l := range s.live {
		l.look = time.Time{}
	}
}
