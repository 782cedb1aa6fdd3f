package door

import (
	"context"
	"net/netip"
	"sync"
)

// turns lets one at a time pass of those who ask from the same place. It is safe for
// concurrent use; the zero value is ready.
type turns struct {
	mu   sync.Mutex
	held map[netip.Prefix]*turn
}

// turn is that of a place.
type turn struct {
	free chan struct{} // holds a token while nobody has it
	want int           // who have it or wait for it
}

// take waits for the turn of a place, for as long as ctx lasts. Who has it gives it back.
func (t *turns) take(ctx context.Context, of netip.Prefix) (back func(), ok bool) {
	t.mu.Lock()
	if t.held == nil {
		t.held = map[netip.Prefix]*turn{}
	}
	mine := t.held[of]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.held[of] = mine
	}
	mine.want++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.want--; mine.want == 0 {
			delete(t.held, of)
		}
	}
	select {
	case <-mine.free:
		return func() {
			mine.free <- struct{}{}
			leave()
		}, true
	case <-ctx.Done():
		leave()
		return nil, false
	}
}

// place gives where a request comes from: an address, or of version 6 its network,
// since one machine has as many addresses in that as it likes.
func place(remote string) netip.Prefix {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	address := from.Addr().Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	p, _ := address.Prefix(bits) // it has as many
	return p
}
