package cluster

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// memberOf gives a member as its coordinator knows it.
func memberOf(t *testing.T, m Metadata, a Assignment) kafka.GroupMember {
	t.Helper()
	m.Version, a.Version, a.Leader = Sessioned, Sessioned, "a"
	metadata, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	assignment, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return kafka.GroupMember{Metadata: metadata, Assignment: assignment}
}

func TestSee(t *testing.T) {
	n := func(tasks ...int) (w Work) {
		for _, task := range tasks {
			w = append(w, Part{"n", task})
		}
		return w
	}
	ours := func(held, assigned, revoked Work, at int64, delay time.Duration) kafka.GroupMember {
		return memberOf(t, Metadata{URL: "http://a/", Software: "1.2", Held: &Assignment{Version: Sessioned, Assigned: held}},
			Assignment{ConfigOffset: at, Assigned: assigned, Revoked: revoked, Delay: delay})
	}
	java := func(assigned Work, at int64, delay time.Duration) kafka.GroupMember { // it has no place for a version
		return memberOf(t, Metadata{URL: "http://b/"}, Assignment{ConfigOffset: at, Assigned: assigned, Delay: delay})
	}
	alone := Peer{ID: "a", URL: "http://a/", Software: "1.2", Leads: true, Work: n(-1, 0, 1)}
	half := Peer{ID: "a", URL: "http://a/", Software: "1.2", Leads: true, Work: n(-1, 0)}
	other := Peer{ID: "b", URL: "http://b/", Work: n(1)}
	idle := Peer{ID: "b", URL: "http://b/"}
	at := func(v View) View {
		v.Generation = 1
		return v
	}
	tests := map[string]struct {
		before  View
		members map[string]kafka.GroupMember
		want    View
		did     string
		why     string
	}{
		"the first": {View{}, map[string]kafka.GroupMember{"a": ours(nil, n(-1, 0, 1), nil, 4, 0)},
			View{Peers: []Peer{alone}, ConfigOffset: 4, Causes: []Cause{Came}, Given: 3}, "3 connectors and tasks given, 0 taken", "a worker came"},
		"one came": {at(View{Peers: []Peer{alone}, ConfigOffset: 4}),
			map[string]kafka.GroupMember{"a": ours(n(-1, 0, 1), nil, n(1), 4, 0), "b": java(nil, 4, 0)},
			View{Peers: []Peer{half, idle}, ConfigOffset: 4, Causes: []Cause{Came}, Who: []string{"http://b/"}, Taken: 1, Waiting: 1},
			"0 connectors and tasks given, 1 taken, 1 wait", "a worker came: http://b/"},
		"what was taken is given on": {at(View{Peers: []Peer{half, idle}, ConfigOffset: 4, Taken: 1}),
			map[string]kafka.GroupMember{"a": ours(n(-1, 0), nil, nil, 4, 0), "b": java(n(1), 4, 0)},
			View{Peers: []Peer{half, other}, ConfigOffset: 4, Causes: []Cause{GivenOn}, Given: 1},
			"1 connectors and tasks given, 0 taken", "what was taken from a worker is given to another"},
		"one is gone": {at(View{Peers: []Peer{half, other}, ConfigOffset: 4}),
			map[string]kafka.GroupMember{"a": ours(n(-1, 0), nil, nil, 4, time.Minute)},
			View{Peers: []Peer{half}, ConfigOffset: 4, Delay: time.Minute, Causes: []Cause{Gone}, Who: []string{"http://b/"}, Taken: 1, Waiting: 1},
			"0 connectors and tasks given, 1 taken, 1 wait for a lost worker, for 1m0s at most", "a worker is gone: http://b/"},
		"nobody came in its place": {at(View{Peers: []Peer{half}, ConfigOffset: 4, Delay: time.Minute, Taken: 1}),
			map[string]kafka.GroupMember{"a": ours(n(-1, 0), n(1), nil, 4, 0)},
			View{Peers: []Peer{alone}, ConfigOffset: 4, Causes: []Cause{DelayEnd}, Given: 1},
			"1 connectors and tasks given, 0 taken", "the delay for a lost worker is over"},
		"other tasks, and one came": {at(View{Peers: []Peer{half}, ConfigOffset: 4}),
			map[string]kafka.GroupMember{"a": ours(n(-1, 0), nil, nil, 7, 0), "b": java(n(1), 7, 0)},
			View{Peers: []Peer{half, other}, ConfigOffset: 7, Causes: []Cause{Came, Changed}, Who: []string{"http://b/"}, Given: 1},
			"1 connectors and tasks given, 0 taken", "a worker came, other connectors or tasks are wanted: http://b/"},
		"asked for": {at(View{Peers: []Peer{alone}, ConfigOffset: 4}), map[string]kafka.GroupMember{"a": ours(n(-1, 0, 1), nil, nil, 4, 0)},
			View{Peers: []Peer{alone}, ConfigOffset: 4, Causes: []Cause{Asked}}, "0 connectors and tasks given, 0 taken", "a worker asked for it"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := See(2, time.Time{}, tt.members, n(-1, 0, 1), tt.before)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Generation = 2
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if got.Did() != tt.did || got.Why() != tt.why {
				t.Errorf("it says %q and %q", got.Did(), got.Why())
			}
		})
	}
	if _, err := See(1, time.Time{}, map[string]kafka.GroupMember{"a": {}}, nil, View{}); err == nil {
		t.Error("no metadata is fine")
	}
}
