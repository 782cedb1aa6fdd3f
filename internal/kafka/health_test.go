package kafka

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestBrokerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth()
		dial := func() (*heard, net.Conn) {
			ours, theirs := net.Pipe()
			go io.Copy(io.Discard, theirs) // ends with the pipe
			return &heard{Conn: ours, health: h, address: "b:9092"}, theirs
		}
		ask := func(c *heard) {
			if _, err := c.Write([]byte("?")); err != nil {
				t.Fatal(err)
			}
		}
		check := func(when string, since time.Duration) {
			t.Helper()
			if x, ok := h.trouble(); ok != (since > 0) || ok && (x.What != "broker b:9092 does not answer" || time.Since(x.Since) != since) {
				t.Errorf("%s: %+v, %v", when, x, ok)
			}
		}
		first, _ := dial()
		time.Sleep(time.Hour)
		check("nothing was asked", 0)
		ask(first)
		time.Sleep(4 * time.Second)
		check("a moment", 0)
		time.Sleep(6 * time.Second)
		check("too long", 10*time.Second)
		first.Close()
		second, theirs := dial()
		ask(second)
		time.Sleep(time.Second)
		check("a new connection", 11*time.Second)
		go theirs.Write([]byte("!"))
		if _, err := second.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		check("an answer", 0)
		ask(second)
		second.Close()
		time.Sleep(time.Minute)
		check("a connection that was not needed any more", 0)
	})
}

func TestTroubleIsKnownUntilItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(lines)
		h := newHealth()
		a, b := trouble{log: log.logger(), health: h}, trouble{log: log.logger(), health: h}
		a.note("reading is interrupted", errors.New("EOF"))
		time.Sleep(time.Second)
		b.note("the group cannot be joined", errors.New("no route"))
		if x, _ := h.trouble(); x.What != "reading is interrupted: EOF" || time.Since(x.Since) != time.Second {
			t.Errorf("%+v", x)
		}
		a.over()
		if x, _ := h.trouble(); x.What != "the group cannot be joined: no route" {
			t.Errorf("%+v", x)
		}
		time.Sleep(2 * fades)
		if x, ok := h.trouble(); ok {
			t.Errorf("nobody tries it: %+v", x)
		}
		b.end()
		if len(h.troubles) > 0 {
			t.Error("something is left")
		}
	})
}

// What was noted a day ago and has faded is not the same trouble.
func TestTroubleThatHasFadedIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth()
		x := trouble{log: new(lines).logger(), health: h}
		x.note("reading is interrupted", io.EOF)
		time.Sleep(24 * time.Hour)
		if worst, ok := h.trouble(); ok {
			t.Errorf("after a day: %+v", worst)
		}
		x.note("reading is interrupted", io.EOF)
		time.Sleep(time.Second)
		if worst, ok := h.trouble(); !ok || time.Since(worst.Since) != time.Second {
			t.Errorf("%+v, %v", worst, ok)
		}
	})
}
