//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// changes is the report of a run as its file has it.
type changes struct {
	Run     string
	Models  []string
	Images  int
	OnlyNew int `json:"only_new"`
	OnlyOld int `json:"only_old"`
	Same    int `json:"same_class"`
	Changed int `json:"other_class"`
	Became  int `json:"became_hab"`
	Ceased  int `json:"ceased_hab"`
	Classes []change
}

type change struct {
	Old, New string
	Images   int
	OldHAB   bool `json:"old_hab"`
	NewHAB   bool `json:"new_hab"`
}

// On Apache Kafka and PostgreSQL (`make test` does the like on embedded servers)
// images in Kafka go through another model beside the flow, into a table of
// their own and, with the two policies that allow it, into the flow's. Each run
// is broken off, once by kill -9, and goes on; the report and the tables are
// what the new model makes of every image.
func TestReclassify(t *testing.T) {
	const oldModel, newModel = "demo-plankton:1", "demo-plankton:2"
	tests := []struct {
		name, policy, more string
		args               []string
		signal             os.Signal
	}{
		{"own table", "keep-best", "", nil, os.Interrupt},
		{"latest", "latest", "", []string{"--same-table"}, syscall.SIGKILL},
		{"per-model", "per-model", ",classifier", []string{"--same-table"}, os.Interrupt},
	}
	real := newReal(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := real.within(t)
			site := newSyntheticSite(t, 2, 3, 10)
			f := newFlow(s)
			f.Dashboard, f.Follow, f.Model = site.url, true, f.putModel("old")
			f.Policy, f.Table, f.Keys = tt.policy, fmt.Sprint("again", i), f.Keys+tt.more
			rename, mirror := mirrored()
			f.putModel("new", append(rename, "version: '1'", "version: '2'")...)
			w := f.start()
			n := len(site.images)
			eventually(t, "the flow", func() bool { return f.through(n) }, f.state)
			run := "reclassify-" + f.Stream + "-demo-plankton-2"
			output, side := run, f.Table+"_"+strings.ReplaceAll(run, "-", "_")
			if slices.Contains(tt.args, "--same-table") {
				output, side = f.Stats, f.Table
			}
			want, hab := wanted(t, run, newModel, s.stats(f.Stats), mirror)

			before := s.written(output)
			f.interrupted(tt.signal, output, append([]string{"--rate", "5"}, tt.args...)...)
			if wrote := s.written(output) - before; wrote >= n {
				t.Fatalf("the run was not interrupted: it wrote %d records of %d images", wrote, n)
			}
			site.take(t, 1) // left to the flow
			said := f.reclassify(append([]string{"--rate", "0"}, tt.args...)...)
			if d := cmp.Diff(want, f.report()); d != "" {
				t.Errorf("report (-want +got): %s\n%s", d, said)
			}
			eventually(t, "the flow beside it", func() bool { return f.through(len(site.images)) }, f.state, func() string { return w.tail(5) })
			w.stop()

			rows := func(table, model string) string {
				return s.rows(fmt.Sprintf("SELECT count(*), count(*) FILTER (WHERE hab) FROM %s WHERE classifier = '%s'", table, model))
			}
			later := len(site.images) - n
			if got, want := rows(side, newModel), fmt.Sprintf("%d|%d", n, hab); got != want {
				t.Errorf("the new model has %s rows and harmful ones, want %s", got, want)
			}
			left := len(site.images)
			if tt.policy == "latest" {
				left = later
			}
			if got := rows(f.Table, oldModel); !strings.HasPrefix(got, fmt.Sprint(left, "|")) {
				t.Errorf("the old model has %s rows and harmful ones, want %d rows", got, left)
			}
			t.Logf("%s", said)
		})
	}
}

// wanted is the report of a run whose model calls the classes otherwise, and how
// many of its images are of harmful algae.
func wanted(t *testing.T, run, model string, before map[string]*connector.Struct, mirror map[string]string) (changes, int) {
	t.Helper()
	c := changes{Run: run, Models: []string{model}, Images: len(before), Changed: len(before)}
	algae, count, hab := harmful(t), map[change]int{}, 0
	for _, x := range before {
		v, _ := x.Get("name")
		class, _ := v.(string)
		k := change{Old: class, New: mirror[class], OldHAB: algae[class], NewHAB: algae[mirror[class]]}
		count[k]++
		if k.NewHAB {
			hab++
		}
		if k.NewHAB && !k.OldHAB {
			c.Became++
		}
		if k.OldHAB && !k.NewHAB {
			c.Ceased++
		}
	}
	for k, n := range count {
		k.Images = n
		c.Classes = append(c.Classes, k)
	}
	slices.SortFunc(c.Classes, func(a, b change) int {
		if a.Images != b.Images {
			return b.Images - a.Images
		}
		return strings.Compare(a.Old, b.Old)
	})
	return c, hab
}

// reclassifying is the command of a run.
func (f *flow) reclassifying(args ...string) (cmd *exec.Cmd, said, logs *bytes.Buffer) {
	t := f.Stack.t
	t.Helper()
	cmd = exec.CommandContext(t.Context(), program(t), append([]string{"reclassify", "-f", filepath.Join(f.dir, "flow.yaml"), "--model", filepath.Join(f.dir, "new.onnx"),
		"--state", filepath.Join(f.dir, "runs"), "--json", filepath.Join(f.dir, "report.json")}, args...)...)
	said, logs = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = said, logs
	return cmd, said, logs
}

// reclassify runs the command to its end.
func (f *flow) reclassify(args ...string) string {
	t := f.Stack.t
	t.Helper()
	cmd, said, logs := f.reclassifying(args...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("reclassify %v: %v\n%s%s", args, err, said, logs)
	}
	return said.String()
}

// interrupted runs the command until it has written to a topic, and ends it with
// a signal.
func (f *flow) interrupted(signal os.Signal, topic string, args ...string) {
	t, s := f.Stack.t, f.Stack
	t.Helper()
	before := s.written(topic)
	cmd, _, logs := f.reclassifying(args...)
	check(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the process
	eventually(t, "the run writes", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("the run ends with %v before it was interrupted:\n%s", err, logs)
		default:
		}
		return s.written(topic) > before
	})
	check(t, cmd.Process.Signal(signal))
	if err := <-ended; err == nil || signal == os.Interrupt && !strings.Contains(logs.String(), "interrupted: the same command goes on from here") {
		t.Fatalf("the interrupted run ends with %v:\n%s", err, logs)
	}
}

// report reads what a run has written.
func (f *flow) report() changes {
	t := f.Stack.t
	t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, "report.json"))
	check(t, err)
	var c changes
	check(t, json.Unmarshal(data, &c))
	return c
}
