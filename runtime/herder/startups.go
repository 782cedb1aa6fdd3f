package herder

// Startups counts how starts went since the worker was started. An attempt
// counts when it has come to something.
type Startups struct{ Succeeded, Failed int64 }

func (s *Startups) count(well bool) {
	if well {
		s.Succeeded++
	} else {
		s.Failed++
	}
}

// Startups gives how starts of connectors and of tasks went.
func (h *Herder) Startups() (connectors, tasks Startups) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.started.connectors, h.started.tasks
}
