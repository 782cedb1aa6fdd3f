//go:build integration

package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/port"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// javaBroker is an Apache Kafka of a test's own, which may be stopped and killed. It ends
// with the test.
type javaBroker struct {
	*worker
	dir, addr string
	// gates are further ways to it, each of which may be cut: who comes through one is
	// led to no other address.
	gates []*gate
}

// newJavaBroker starts one with so many gates.
func newJavaBroker(t *testing.T, gates int) *javaBroker {
	t.Helper()
	if os.Getenv("HYDRAULICS_KAFKA_CLASSPATH") == "" {
		t.Skip("HYDRAULICS_KAFKA_CLASSPATH is not set: no broker to stop and kill, make integration fetches one")
	}
	b := &javaBroker{dir: t.TempDir()}
	free := func() string {
		p, err := port.Lasting()
		check(t, err)
		return fmt.Sprint("127.0.0.1:", p)
	}
	b.addr = free()
	controller := free()
	listeners, advertised := "PLAINTEXT://"+b.addr+",CONTROLLER://"+controller, "PLAINTEXT://"+b.addr
	protocols := "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
	for i := range gates {
		behind := free()
		g := newGate(t, free(), behind)
		b.gates = append(b.gates, g)
		listeners += fmt.Sprintf(",GATE%d://%s", i, behind)
		advertised += fmt.Sprintf(",GATE%d://%s", i, g.addr)
		protocols += fmt.Sprintf(",GATE%d:PLAINTEXT", i)
	}
	conf := strings.Join([]string{"process.roles=broker,controller", "node.id=1", "controller.quorum.bootstrap.servers=" + controller,
		"controller.listener.names=CONTROLLER", "inter.broker.listener.name=PLAINTEXT",
		"listeners=" + listeners, "advertised.listeners=" + advertised, "listener.security.protocol.map=" + protocols,
		"log.dirs=" + filepath.Join(b.dir, "data"), "offsets.topic.num.partitions=1", "offsets.topic.replication.factor=1",
		"broker.session.timeout.ms=2000", "broker.heartbeat.interval.ms=500", // a killed one is forgotten, and may come again
		"group.initial.rebalance.delay.ms=0", "group.min.session.timeout.ms=1000"}, "\n")
	check(t, os.WriteFile(filepath.Join(b.dir, "broker.properties"), []byte(conf+"\n"), 0o600))
	out, err := b.java("kafka.tools.StorageTool", "format", "--standalone", "-t", "hydraulicsTestsClusterI", "-c", "broker.properties").CombinedOutput()
	if err != nil {
		t.Fatalf("the broker's folder: %v\n%s", err, out)
	}
	b.start(t)
	return b
}

func (b *javaBroker) java(args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", os.Getenv("HYDRAULICS_KAFKA_CLASSPATH")}, args...)...)
	cmd.Dir = b.dir
	return cmd
}

// start starts the broker on what it had.
func (b *javaBroker) start(t *testing.T) {
	t.Helper()
	b.worker, _ = launch(t, b.dir, "kafka.log", b.java("kafka.Kafka", "broker.properties"))
	wait.Nil(t, "the broker", func() error {
		if b.ended() {
			t.Fatalf("the broker has ended:\n%s", b.tail(20))
		}
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			return err
		}
		return c.Close()
	})
}
