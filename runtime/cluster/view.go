package cluster

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// Peer is a worker of the cluster as each of them can see it.
type Peer struct {
	ID, URL  string
	Software string // its version of hydraulics; empty for workers that do not say it, such as Java's
	Leads    bool
	Work     Work // that it was assigned
}

// Counts gives how many connectors and tasks it has.
func (p Peer) Counts() (connectors, tasks int) {
	kinds := p.Work.kinds()
	return len(kinds[0]), len(kinds[1])
}

// Cause is one of the reasons for a rebalance.
type Cause string

// The causes that a rebalance may have.
const (
	Came     Cause = "a worker came"
	Gone     Cause = "a worker is gone"
	Changed  Cause = "other connectors or tasks are wanted"
	DelayEnd Cause = "the delay for a lost worker is over"
	GivenOn  Cause = "what was taken from a worker is given to another"
	Asked    Cause = "a worker asked for it"
)

// View is who shares the work, and what the rebalance did that made it so.
type View struct {
	Generation   int32 // 0 while nothing was seen
	At           time.Time
	Peers        []Peer        // in the order of their URLs
	ConfigOffset int64         // of what was shared out
	Delay        time.Duration // for which the work of lost workers waits for them
	// Causes are those of the rebalance, Who the URLs of those that came or are gone.
	Causes []Cause
	Who    []string
	// Given and Taken are how many connectors and tasks workers have now and had
	// not before, and the other way round. Nobody has those that wait.
	Given, Taken, Waiting int
}

// URL gives the address of the worker that statuses name by host and port, empty where
// it is not known.
func (v View) URL(worker string) string {
	for _, p := range v.Peers {
		if u, err := url.Parse(p.URL); err == nil && worker != "" && u.Host == worker {
			return p.URL
		}
	}
	return ""
}

// See makes the view of a generation from what its members and its leader have said.
// before is the view of an earlier one.
func See(generation int32, at time.Time, members map[string]kafka.GroupMember, wanted Work, before View) (View, error) {
	v := View{Generation: generation, At: at}
	var had Work
	for id, member := range members {
		m, err := DecodeMetadata(member.Metadata)
		if err != nil {
			return View{}, fmt.Errorf("worker %s: %w", id, err)
		}
		a, err := DecodeAssignment(member.Assignment)
		if err != nil {
			return View{}, fmt.Errorf("worker %s: %w", id, err)
		}
		p := Peer{ID: id, URL: m.URL, Software: m.Software, Leads: id == a.Leader, Work: a.Assigned}
		if m.Held != nil && a.Version != Eager {
			p.Work = m.Held.Assigned.Without(a.Revoked).With(a.Assigned)
		}
		v.Peers, v.ConfigOffset, v.Delay = append(v.Peers, p), a.ConfigOffset, a.Delay
		had = had.With(p.Work)
	}
	slices.SortFunc(v.Peers, func(p, q Peer) int { return cmp.Or(strings.Compare(p.URL, q.URL), strings.Compare(p.ID, q.ID)) })
	v.Waiting = len(wanted.Without(had))
	v.compare(before)
	return v, nil
}

// compare finds what has changed since an earlier view, and why.
func (v *View) compare(before View) {
	workOf := func(peers []Peer) map[string]Work {
		by := map[string]Work{}
		for _, p := range peers {
			by[p.ID] = p.Work
		}
		return by
	}
	was, now := workOf(before.Peers), workOf(v.Peers)
	for _, p := range v.Peers {
		if _, there := was[p.ID]; !there && before.Generation > 0 {
			v.cause(Came, p.URL)
		}
		v.Given += len(p.Work.Without(was[p.ID]))
	}
	for _, p := range before.Peers {
		if _, there := now[p.ID]; !there {
			v.cause(Gone, p.URL)
		}
		v.Taken += len(p.Work.Without(now[p.ID]))
	}
	switch {
	case before.Generation == 0:
		v.cause(Came, "")
	case before.ConfigOffset != v.ConfigOffset:
		v.cause(Changed, "")
	case len(v.Causes) > 0:
	case before.Delay > 0 && v.Delay == 0:
		v.cause(DelayEnd, "")
	case before.Taken > 0 && v.Given > 0:
		v.cause(GivenOn, "")
	default:
		v.cause(Asked, "")
	}
}

func (v *View) cause(c Cause, who string) {
	if !slices.Contains(v.Causes, c) {
		v.Causes = append(v.Causes, c)
	}
	if who != "" {
		v.Who = append(v.Who, who)
	}
}

// Did says in words what the rebalance did.
func (v View) Did() string {
	text := fmt.Sprintf("%d connectors and tasks given, %d taken", v.Given, v.Taken)
	if v.Waiting > 0 {
		text += fmt.Sprintf(", %d wait", v.Waiting)
	}
	if v.Delay > 0 {
		text += fmt.Sprintf(" for a lost worker, for %v at most", v.Delay.Round(time.Millisecond))
	}
	return text
}

// Why says in words why there was a rebalance.
func (v View) Why() string {
	var texts []string
	for _, c := range v.Causes {
		texts = append(texts, string(c))
	}
	text := strings.Join(texts, ", ")
	if len(v.Who) > 0 {
		text += ": " + strings.Join(v.Who, ", ")
	}
	return text
}
