package broker

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

func startTest(t *testing.T, o Options) *Broker {
	t.Helper()
	b, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}

func client(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addr), kgo.AllowAutoTopicCreation())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestLockedFolder(t *testing.T) {
	dir := t.TempDir()
	b := startTest(t, Options{Dir: dir})
	if _, err := Start(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("second broker on the folder: %v", err)
	}
	b.Stop()
	startTest(t, Options{Dir: dir})
}

func TestBigMessage(t *testing.T) {
	b := startTest(t, Options{})
	c := client(t, b.Addr(), kgo.ProducerBatchMaxBytes(DefaultMaxMessageBytes-1<<10))
	value := make([]byte, 4<<20)
	for i := range value {
		value[i] = byte(i * i >> 3)
	}
	if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "big", Value: value}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestGuardRefusesWhatIsNotKafka(t *testing.T) {
	b := startTest(t, Options{})
	for name, request := range map[string][]byte{
		"HTTP":        []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		"gigabyte":    {0x3f, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"unknown key": {0, 0, 0, 20, 0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"too short":   {0, 0, 0, 1, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", b.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := conn.Write(request); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(wait.Patience))
			if n, err := conn.Read(make([]byte, 1)); n != 0 || !isClosed(err) {
				t.Errorf("the broker answers %d bytes (%v), want a closed connection", n, err)
			}
		})
	}
	if err := client(t, b.Addr()).Ping(t.Context()); err != nil {
		t.Errorf("the broker is gone: %v", err)
	}
}

func isClosed(err error) bool {
	return err == io.EOF || err != nil && strings.Contains(err.Error(), "reset")
}

func TestOddVersionsDoNotStopIt(t *testing.T) {
	b := startTest(t, Options{})
	for key := range uint16(93) {
		for _, version := range []uint16{0, 99, 0x7fff} {
			conn, err := net.Dial("tcp", b.Addr())
			if err != nil {
				t.Fatalf("after request %d: %v", key, err)
			}
			request := binary.BigEndian.AppendUint32(nil, 12)
			request = binary.BigEndian.AppendUint16(request, key)
			request = binary.BigEndian.AppendUint16(request, version)
			request = append(request, 0, 0, 0, 1, 0xff, 0xff, 0, 0)
			if _, err := conn.Write(request); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		}
	}
	if err := client(t, b.Addr()).Ping(t.Context()); err != nil {
		t.Errorf("the broker is gone: %v", err)
	}
}

// TestSurvivesKill ends a broker's process the hard way, under load.
func TestSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	acked := 0
	for round := range 3 {
		addr, kill := child(t, dir, false)
		acked += produceUntil(t, addr, acked, 200*(round+1))
		kill()
	}
	b := startTest(t, Options{Dir: dir})
	c := client(t, b.Addr(), kgo.ConsumeTopics("kept"))
	seen := map[string]bool{}
	ctx, cancel := wait.Context()
	defer cancel()
	for len(seen) < acked {
		fetches := c.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d of %d acknowledged records are there", len(seen), acked)
		}
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)] = true })
	}
}

func produceUntil(t *testing.T, addr string, from, n int) int {
	t.Helper()
	c := client(t, addr)
	for i := range n {
		if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "kept", Value: fmt.Append(nil, from+i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

const (
	childEnv   = "HYDRAULICS_TEST_BROKER_DIR"
	compactEnv = "HYDRAULICS_TEST_BROKER_COMPACT"
)

// child runs a broker in a process of its own, compacting all the time where asked.
func child(t *testing.T, dir string, compact bool) (addr string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	if compact {
		cmd.Env = append(cmd.Env, compactEnv+"=1")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
	}
}

func TestMain(m *testing.M) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	b, err := Start(Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(b.Addr())
	for os.Getenv(compactEnv) != "" {
		if err := b.Compact(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	select {} // until it is killed
}
