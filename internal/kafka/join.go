package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/axiom-data-science/hydraulics/connector"
)

// joinLoop joins and syncs until the member is in a generation and makes the
// owner an offer. Close ends it.
func (m *Member) joinLoop() {
	for m.ctx.Err() == nil {
		g, v, err := m.joinOnce()
		if m.ctx.Err() != nil {
			return // Close has cut the connection
		}
		switch v {
		case fine:
			m.trouble.over()
			m.coord.slow.drop() // the next join may be far, and connects anew
			if m.o.prepare != nil {
				err = m.o.prepare(g)
			}
			if m.ctx.Err() == nil {
				m.propose(g, err)
			}
			return
		case refused:
			m.fail(connector.Coded("H2016", connector.Fatal(fmt.Errorf("group %s: %w", m.o.Group, err))))
			return
		case lost, rejoin:
			continue
		case elsewhere:
			m.trouble.note("the group coordinator cannot be reached", err)
			m.coord.slow.drop()
		case again:
			if !errors.Is(err, sarama.ErrMemberIdRequired) {
				m.trouble.note("the group cannot be joined", err)
			}
		}
		if !errors.Is(err, sarama.ErrMemberIdRequired) {
			pause(m.ctx, retryPause)
		}
	}
}

func (m *Member) joinOnce() (g Generation, v verdict, err error) {
	m.mu.Lock()
	id := m.m.id
	m.m.sends()
	m.mu.Unlock()
	protocols, err := m.o.Protocols(m.ctx)
	if connector.KindOf(err) == connector.KindFatal {
		return g, refused, err
	} else if err != nil {
		return g, elsewhere, err
	}
	resp, err := m.coord.join(id, protocols, m.o.SessionTimeout, m.o.RebalanceTimeout)
	if resp == nil {
		resp = new(sarama.JoinGroupResponse)
	}
	m.mu.Lock()
	v = m.m.joinAnswered(err, resp.MemberId, resp.GenerationId)
	m.mu.Unlock()
	if v != fine {
		return g, v, err
	}
	g = Generation{ID: resp.GenerationId, Member: resp.MemberId, Leader: resp.LeaderId, Protocol: resp.GroupProtocol}
	var plan map[string][]byte
	if g.Leads() {
		metadata := map[string][]byte{}
		for _, x := range resp.Members {
			metadata[x.MemberId] = x.Metadata
		}
		if plan, err = m.o.Assign(m.ctx, g, metadata); err != nil {
			return g, again, err
		}
	}
	g.Assignment, err = m.coord.sync(g, plan)
	m.mu.Lock()
	defer m.mu.Unlock()
	if v = m.m.synced(err); v == fine {
		m.alive = time.Now()
	}
	return g, v, err
}

// propose makes the owner an offer, unless the membership it is for is over.
func (m *Member) propose(g Generation, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now, ok := m.m.current(); ok && now == (identity{g.Member, g.ID}) && m.m.stage == seated {
		m.offer = &offer{generation: g, err: err}
	}
	m.wakeUp()
}

// fail gives the owner the error of a join that failed for good.
func (m *Member) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.m.gaveUp()
	m.offer = &offer{err: err}
	m.wakeUp()
}

// heartbeats tells the coordinator that the member is there, until Close, also
// while the owner hands over. It finds out when a rebalance is on or the
// membership is gone.
func (m *Member) heartbeats() {
	for pause(m.ctx, m.o.HeartbeatInterval) {
		m.mu.Lock()
		as, due := m.m.current()
		m.mu.Unlock()
		if !due {
			continue
		}
		err := m.coord.heartbeat(as)
		if m.ctx.Err() != nil {
			return // Close has cut the connection
		}
		m.mu.Lock()
		now, _ := m.m.current()
		v := m.m.answered(as, err)
		if v == fine || v == rejoin {
			m.alive = time.Now()
		}
		silent := time.Since(m.alive)
		if v == refused || silent > m.o.SessionTimeout {
			m.m.leave(lost) // the coordinator gives the partitions away
		}
		if m.m.leaving != fine {
			m.wakeUp()
		}
		m.mu.Unlock()
		switch {
		case now != as: // the answer was about a membership that is over
		case v == fine:
			m.trouble.over()
		case v == refused:
			m.client.options.Log.Warn("heartbeat refused", "group", m.o.Group, "error", err.Error())
		case v == elsewhere:
			m.trouble.note("the group coordinator cannot be reached", err)
			m.coord.fast.drop()
		}
	}
}

// pause waits a little; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
