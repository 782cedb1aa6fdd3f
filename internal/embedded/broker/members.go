package broker

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// keepers are the goroutines that keep members which wait in a rebalance. None
// may ask the cluster for anything once that is closed: it would wait for ever.
type keepers struct {
	mu      sync.Mutex
	ended   bool
	running sync.WaitGroup
}

func (k *keepers) start(keep func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.ended {
		k.running.Go(keep)
	}
}

func (k *keepers) end() {
	k.mu.Lock()
	k.ended = true
	k.mu.Unlock()
	k.running.Wait()
}

// joinAsked keeps a member in its group while it waits for the answer to its
// JoinGroup, however long the others take: kfake would let the session that the
// member had go on and end meanwhile, and never answer it. Kafka begins the
// session anew with the answer.
func (b *Broker) joinAsked(r kmsg.Request) (kmsg.Response, error, bool) {
	if req, ok := r.(*kmsg.JoinGroupRequest); ok && req.MemberID != "" && req.SessionTimeoutMillis > 0 {
		beat := kmsg.NewPtrHeartbeatRequest()
		beat.Group, beat.MemberID, beat.InstanceID = req.Group, req.MemberID, req.InstanceID
		b.keepers.start(func() { b.keepMember(beat, time.Duration(req.SessionTimeoutMillis)*time.Millisecond/3) })
	}
	return nil, nil, false
}

// keepMember sends a member's heartbeats until the rebalance is over in which it
// asked to join, or the broker stops.
func (b *Broker) keepMember(beat *kmsg.HeartbeatRequest, every time.Duration) {
	rebalance := func() (generation int32, on bool) {
		g := b.cluster.GroupInfo(beat.Group)
		if g == nil || g.State != "PreparingRebalance" {
			return 0, false
		}
		return g.Epoch, true
	}
	generation, on := rebalance()
	if !on {
		return
	}
	beat.Generation = generation
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		b.log.Warn("a group's member may be lost in a long rebalance", "group", beat.Group, "member", beat.MemberID, "reason", err.Error())
		return
	}
	defer client.Close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-b.done:
			return
		}
		if now, on := rebalance(); !on || now != generation {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), every)
		_, _ = beat.RequestWith(ctx, client) // the next one comes soon
		cancel()
	}
}
