//go:build integration

package integration

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// startJava starts one of Java's.
func (c *cluster) startJava() *member {
	c.t.Helper()
	javaPlugins(c.t)
	dir, address := c.file()
	return &member{startJava(c.t, dir, "ConnectDistributed", address, "worker.properties"), address}
}

// A worker of Java's and one of ours are in one group, and each runs connectors of the
// same class. Each of them goes; the other one goes on where it was.
//
// Clauses: G9.
func TestMixedGroup(t *testing.T) {
	c := newCluster(t, 0)
	java, ours := c.startJava(), c.start()
	dir := t.TempDir()
	counts, adds := map[string]int{}, map[string]func(from, to int){}
	for i := range 6 {
		name := fmt.Sprintf("%s-%d", c.name, i)
		config, add := lineSource(t, dir, name)
		counts[name], adds[name] = 1, add
		[]*member{java, ours}[i%2].put(name, config)
	}
	more := func(from, to int) {
		t.Helper()
		again := 0
		for name, add := range adds {
			add(from, to)
			again += c.arrived(name, to)
		}
		t.Logf("lines up to %d: %d came again", to, again)
	}
	both := func() {
		t.Helper()
		at := running(t, counts, java, ours)
		wait.Nil(t, "a share for each", func() error {
			if at = running(t, counts, java, ours); at[java.id] != 3 || at[ours.id] != 3 {
				return fmt.Errorf("tasks are at %v", at)
			}
			return nil
		})
	}
	both()
	more(10, 20)
	for _, m := range []*member{ours, java} {
		m.do("POST", "/connectors/"+c.name+"-0/restart?includeTasks=true", "")
		m.do("PUT", "/connectors/"+c.name+"-1/pause", "")
		for _, other := range []*member{ours, java} {
			other.state(c.name+"-1", "PAUSED")
		}
		m.do("PUT", "/connectors/"+c.name+"-1/resume", "")
		both()
	}
	java.leave()
	running(t, counts, ours)
	more(20, 30)
	java = c.startJava()
	both()
	ours.kill()
	running(t, counts, java)
	more(30, 40)
	t.Log("passed: a worker of Java's Kafka Connect and one of ours in one group, each of which left the other its connectors")
}

// What a cluster of Java's has in its topics goes on with a worker of ours, and the
// other way round: connectors at their offsets, paused and stopped ones, altered offsets,
// a name with a space.
//
// Clauses: H1, H3, H6, H7.
func TestTakesOverAJavaCluster(t *testing.T) {
	c := newCluster(t, 0)
	dir := t.TempDir()
	runs, paused, stopped := c.name+"-a", c.name+"-b", c.name+"-c"
	name := "the runner"
	config, add := lineSource(t, dir, runs)
	w := c.startJava()
	w.put(name, config)
	for topic, how := range map[string]string{paused: "pause", stopped: "stop"} {
		config, _ := lineSource(t, dir, topic)
		w.put(topic, config)
		c.arrived(topic, 10)
		w.do("PUT", "/connectors/"+topic+"/"+how, "")
	}
	c.arrived(runs, 10)
	w.state(paused, "PAUSED")
	w.state(stopped, "STOPPED")
	w.leave()

	w = c.start()
	running(t, map[string]int{name: 1}, w)
	w.state(paused, "PAUSED")
	w.state(stopped, "STOPPED")
	add(10, 20)
	again := c.arrived(runs, 20)
	if topics := w.do("GET", "/connectors/"+url.PathEscape(name)+"/topics", ""); !strings.Contains(topics, `"`+runs+`"`) {
		t.Errorf("topics are %s", topics)
	}
	w.do("PUT", "/connectors/"+paused+"/resume", "")
	file := filepath.Join(dir, stopped+".txt")
	w.do("PATCH", "/connectors/"+stopped+"/offsets", fmt.Sprintf(`{"offsets":[{"partition":{"filename":%q},"offset":{"position":7}}]}`, file))
	running(t, map[string]int{name: 1, paused: 1}, w)
	w.leave()

	w = c.startJava()
	running(t, map[string]int{name: 1, paused: 1}, w)
	w.state(stopped, "STOPPED")
	if offsets := w.do("GET", "/connectors/"+stopped+"/offsets", ""); !strings.Contains(offsets, `{"position":7}`) {
		t.Errorf("offsets are %s", offsets)
	}
	add(20, 30)
	again += c.arrived(runs, 30)
	if again > 0 {
		t.Errorf("%d lines came again, of workers that all stopped in good order", again)
	}
	t.Log("passed: the topics of a cluster of Java's were ours, and Java's again, at the same lines")
}
