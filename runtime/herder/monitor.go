package herder

import (
	"context"
	"maps"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// monitor is a connector that watches its system.
type monitor struct {
	props  connector.Props
	cancel context.CancelFunc
	done   chan struct{} // closed when it has returned
	err    error         // why it failed, until the splitter's step; guarded by the herder's lock
}

// watch has the connector watch its system, if it does, with the configuration
// that it was split with.
func (s *splitter) watch() {
	if s.monitor != nil && maps.Equal(s.monitor.props, s.spec.Props) {
		return
	}
	s.endMonitor()
	ctx, cancel := context.WithCancel(s.quit)
	m := &monitor{props: s.spec.Props, cancel: cancel, done: make(chan struct{})}
	spec, before := s.spec, s.last
	s.last = m.done
	s.c.h.mu.Lock()
	s.monitor = m
	s.c.h.mu.Unlock()
	go func() { // endMonitor ends it
		defer close(m.done)
		if before != nil {
			<-before // one at a time, also where it does not return
		}
		if ctx.Err() != nil {
			return
		}
		err := s.c.h.o.Engine.Monitor(ctx, spec, func() { s.reconfigure(m) })
		if err == nil || ctx.Err() != nil {
			return
		}
		s.c.h.mu.Lock()
		m.err = err
		s.c.h.mu.Unlock()
		s.poke()
	}()
}

// reconfigure has the connector split again for its monitor. It is called from any
// goroutine of the plugin's.
func (s *splitter) reconfigure(m *monitor) {
	s.c.h.mu.Lock()
	s.asked = s.asked || s.monitor == m
	s.c.h.mu.Unlock()
	s.poke()
}

// endMonitor ends the watching. A plugin that does not return in time is left: it
// holds up the next one of this connector, and nothing else.
func (s *splitter) endMonitor() {
	if s.monitor == nil {
		return
	}
	s.monitor.cancel()
	timer := time.NewTimer(s.c.h.patience)
	defer timer.Stop()
	select {
	case <-s.monitor.done:
	case <-timer.C:
		s.c.h.o.Log.Warn("the connector's monitor did not return in time and was left", "connector", s.c.name)
	}
	s.c.h.mu.Lock()
	s.monitor, s.asked = nil, false
	s.c.h.mu.Unlock()
}
