package door

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/certs"
)

// Who tries passwords at one place keeps nobody at another place from logging in, and
// those whose passwords were good before wait for nobody.
func TestLoginWaitsForItsOwnPlaceAlone(t *testing.T) {
	u, err := openUsers(certs.File(t, "users", []byte("alice: "+hash(t, "right")+"\n")), readUsers, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	here, there := place("10.0.0.1:1"), place("10.0.0.2:1")
	back, ok := u.turns.take(t.Context(), here) // a password is weighed
	if !ok {
		t.Fatal("a turn that nobody has is not free")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := u.who(gone, here, "alice", "right"); ok {
		t.Error("two passwords from one place are weighed at once")
	}
	if _, ok := u.who(t.Context(), there, "alice", "right"); !ok {
		t.Error("a login waits for one from another place")
	}
	if _, ok := u.who(t.Context(), here, "alice", "right"); !ok {
		t.Error("a password that was good is weighed again")
	}
	back()
	if _, ok := u.who(t.Context(), here, "alice", "wrong"); ok {
		t.Error("a wrong password passes")
	}
	if len(u.turns.held) != 0 {
		t.Errorf("turns are left: %v", u.turns.held)
	}
}

func TestPlace(t *testing.T) {
	tests := []struct{ name, remote, want string }{
		{"version 4", "10.1.2.3:4567", "10.1.2.3/32"},
		{"version 4 within 6", "[::ffff:10.1.2.3]:4567", "10.1.2.3/32"},
		{"version 6", "[2001:db8:1:2:3:4:5:6]:80", "2001:db8:1:2::/64"},
		{"with a zone", "[fe80::1%eth0]:80", "fe80::/64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := place(tt.remote); got != netip.MustParsePrefix(tt.want) {
				t.Errorf("%v, want %s", got, tt.want)
			}
		})
	}
	if got := place("@"); got.IsValid() {
		t.Errorf("no address is %v", got)
	}
}
