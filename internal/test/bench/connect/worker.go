package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"github.com/axiom-data-science/hydraulics/internal/test/port"
)

// heapOptions are those of Kafka's own start script.
var heapOptions = []string{"-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
	"-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"}

// process is a program that is measured.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed at its end
	log   string        // a file
	stat  procfs.Proc
}

// start starts a program in a folder, which its output goes to.
func start(dir string, cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{}), log: filepath.Join(dir, "log")}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the process
		_ = cmd.Wait() // Java ends with the signal's number
		close(p.ended)
	}()
	if p.stat, err = procfs.NewProc(cmd.Process.Pid); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// stop ends a program as its users do, or else by force.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// failure says why a program does not do what it should, by the end of its log.
func (p *process) failure(what string) error {
	data, _ := os.ReadFile(p.log)
	return fmt.Errorf("%s; the end of its log:\n%s", what, data[max(0, len(data)-3000):])
}

// await waits until something is so.
func (p *process) await(ctx context.Context, what string, every time.Duration, ok func() (bool, error)) error {
	patience := time.NewTimer(15 * time.Minute)
	defer patience.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if done, err := ok(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return p.failure(what + " did not come, the program has ended")
		case <-patience.C:
			return p.failure(what + " does not come")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// cost gives the CPU time since the process began and its peak of memory.
func (p *process) cost() (cost, error) {
	stat, err := p.stat.Stat()
	if err != nil {
		return cost{}, err
	}
	status, err := p.stat.NewStatus()
	return cost{cpu: time.Duration(stat.CPUTime() * float64(time.Second)), memory: status.VmHWM}, err
}

// worker is a Connect worker with its REST API.
type worker struct {
	*process
	url string
	id  string // in statuses
}

// command gives the program of a worker, which is given a file of properties.
func (b *bench) command(java, distributed bool, properties string) (*exec.Cmd, error) {
	class, mode := "ConnectStandalone", "connect-standalone"
	if distributed {
		class, mode = "ConnectDistributed", "connect-distributed"
	}
	if !java {
		binary, err := filepath.Abs(b.binary)
		return exec.Command(binary, mode, properties), err
	}
	logging := filepath.Join(filepath.Dir(properties), "log4j2.properties")
	err := os.WriteFile(logging, []byte(`appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = OUT
`), 0o600)
	return exec.Command("java", append(slices.Clone(heapOptions), "-Dlog4j2.configurationFile="+logging, "-cp", b.classpath,
		"org.apache.kafka.connect.cli."+class, properties)...), err
}

// worker starts a standalone worker of a side, with files of its own, and gives the time
// until its REST API answers.
func (b *bench) worker(ctx context.Context, s side) (*worker, time.Duration, error) {
	return b.launch(ctx, s, "")
}

// launch starts a worker: a standalone one, or of the cluster of a name.
func (b *bench) launch(ctx context.Context, s side, cluster string) (*worker, time.Duration, error) {
	dir, err := os.MkdirTemp(b.dir, "worker-")
	if err != nil {
		return nil, 0, err
	}
	number, err := port.Lasting()
	if err != nil {
		return nil, 0, err
	}
	w := &worker{id: fmt.Sprintf("127.0.0.1:%d", number)}
	w.url = "http://" + w.id
	properties := filepath.Join(dir, "worker.properties")
	lines := []string{
		"bootstrap.servers=" + b.broker,
		"listeners=" + w.url,
		"plugin.path=" + b.plugins,
		"plugin.discovery=service_load",
		"key.converter=" + stringConverter,
		"value.converter=" + stringConverter,
		"offset.flush.interval.ms=10000",
		"connector.client.config.override.policy=All",
	}
	if cluster == "" {
		lines = append(lines, "offset.storage.file.filename="+filepath.Join(dir, "connect.offsets"))
	} else {
		lines = append(lines, ofCluster(cluster)...)
	}
	if err := os.WriteFile(properties, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		return nil, 0, err
	}
	cmd, err := b.command(s.java, cluster != "", properties)
	if err != nil {
		return nil, 0, err
	}
	began := time.Now()
	if w.process, err = start(dir, cmd); err != nil {
		return nil, 0, err
	}
	err = w.await(ctx, "the REST API", 2*time.Millisecond, func() (bool, error) {
		res, err := http.Get(w.url + "/connectors")
		if err != nil {
			return false, nil // not yet
		}
		return res.StatusCode == http.StatusOK, res.Body.Close()
	})
	if err != nil {
		w.stop()
		return nil, 0, err
	}
	return w, time.Since(began), nil
}

// create creates a connector.
func (w *worker) create(ctx context.Context, name string, config map[string]string) error {
	body, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return w.request(ctx, http.MethodPut, "/connectors/"+name+"/config", body)
}

// request asks for a connector to be made.
func (w *worker) request(ctx context.Context, method, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, text)
	}
	return nil
}

// running tells whether a connector's only task runs.
func (w *worker) running(name string) (bool, error) {
	res, err := http.Get(w.url + "/connectors/" + name + "/status")
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	var status struct {
		Tasks []struct{ State, Trace string }
	}
	if err := json.NewDecoder(res.Body).Decode(&status); err != nil || len(status.Tasks) == 0 {
		return false, err
	}
	if t := status.Tasks[0]; t.State == "FAILED" {
		return false, fmt.Errorf("%s has failed: %s", name, t.Trace)
	} else {
		return t.State == "RUNNING", nil
	}
}
