package herder

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Clauses: B5, E3.
func TestSecretsAreNotShown(t *testing.T) {
	t.Setenv("HERDER_TEST_SECRET", "s3cret")
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{split: func(spec runtime.TaskSpec, _ int) ([]connector.Props, error) {
			p := spec.Props.Clone()
			p["url"] = "http://u:" + p["secret"].(string) + "@host"
			return []connector.Props{p}, nil
		}}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source("secret", "${env:HERDER_TEST_SECRET}"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := e.last().spec.Props["secret"]; got != "s3cret" {
			t.Errorf("the task got %v", got)
		}
		tasks, err := h.Tasks("c")
		if err != nil {
			t.Fatal(err)
		}
		want := connector.Props{"name": "c", "connector.class": "fake-source", "secret": "${env:HERDER_TEST_SECRET}",
			"url": "http://u:${env:HERDER_TEST_SECRET}@host", "task.class": "org.example.FakeSourceTask"}
		if d := cmp.Diff(want, tasks[0].Config); d != "" {
			t.Error(d)
		}
		info, _ := h.Info("c")
		if info.Config["secret"] != "${env:HERDER_TEST_SECRET}" {
			t.Errorf("config shows %v", info.Config["secret"])
		}
	})
}

// Whatever starts a task, it gets what references stand for by then, also where
// the plugin has put a secret into a text of its own.
//
// Clauses: A11, E4.
func TestEveryStartReadsSecretsAnew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "secret")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte("password="+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first-password")
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{split: func(spec runtime.TaskSpec, _ int) ([]connector.Props, error) {
			p := spec.Props.Clone()
			p["url"] = "http://u:" + p["secret"].(string) + "@host"
			return []connector.Props{p}, nil
		}}
		resolver, err := config.NewResolver(connector.Props{"config.providers": "file"})
		if err != nil {
			t.Fatal(err)
		}
		kept, err := store.OpenFile("", []config.Connector{{Name: "c", File: "flow.yaml", Entries: config.List{
			{Key: "name", Text: "c"}, {Key: "connector.class", Text: "fake-source"}, {Key: "secret", Text: "${file:" + name + ":password}"}}}})
		if err != nil {
			t.Fatal(err)
		}
		h := New(Options{Engine: e, Validator: &config.Validator{Plugins: fakePlugins(), Resolver: resolver}, Worker: connector.Props{}, Store: kept}, nil)
		defer closeIt(t, h)
		expect := func(when, password string, starts int) {
			t.Helper()
			synctest.Wait()
			if n := e.count(); n != starts {
				t.Fatalf("%s: %d starts, want %d", when, n, starts)
			}
			spec := e.last().spec
			if spec.Props["secret"] != password || spec.TaskProps["secret"] != password || spec.TaskProps["url"] != "http://u:"+password+"@host" {
				t.Errorf("%s: the task got %v and %v", when, spec.Props, spec.TaskProps)
			}
		}
		expect("at first", "first-password", 1)
		write("second-password")
		if now, err := e.last().spec.Latest(); err != nil || now["url"] != "http://u:second-password@host" || now["task.class"] != nil {
			t.Errorf("the task's configuration is %v by now, %v", now, err)
		}
		e.last().become(state.Failed, connector.Fatal(errors.New("28P01")))
		synctest.Wait()
		time.Sleep(time.Hour) // synctest's time
		expect("started again by the policy", "second-password", 2)
		write("third-password")
		if err := h.RestartTask("c", 0); err != nil {
			t.Fatal(err)
		}
		expect("the task started again", "third-password", 3)
		write("fourth-password")
		if _, err := h.Restart("c", false, false); err != nil {
			t.Fatal(err)
		}
		expect("the connector started again", "fourth-password", 4)
		tasks, err := h.Tasks("c")
		if err != nil || strings.Contains(fmt.Sprint(tasks), "-password") {
			t.Errorf("tasks show %v, %v", tasks, err)
		}
	})
}

// A plugin may hide a secret where it cannot be found again: then the connector
// is split anew once a task has failed.
func TestEncodedSecretsAreReadAnew(t *testing.T) {
	t.Setenv("HERDER_TEST_SECRET", "first-password")
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{split: func(spec runtime.TaskSpec, _ int) ([]connector.Props, error) {
			return []connector.Props{{"basic": base64.StdEncoding.EncodeToString([]byte("u:" + spec.Props["secret"].(string)))}}, nil
		}}
		h := newHerder(t, e, "")
		defer closeIt(t, h)
		if _, err := h.Create("c", source("secret", "${env:HERDER_TEST_SECRET}"), state.TargetStarted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := os.Setenv("HERDER_TEST_SECRET", "second-password"); err != nil {
			t.Fatal(err)
		}
		e.last().become(state.Failed, connector.Fatal(errors.New("401")))
		synctest.Wait()
		want := base64.StdEncoding.EncodeToString([]byte("u:second-password"))
		if got := e.last().spec.TaskProps["basic"]; got != want {
			t.Errorf("the task got %v, want %s", got, want)
		}
	})
}

// A secret that a provider believes for some time only is read again after it.
// Where it is another one by then the connector starts again, unless
// config.action.reload is none.
//
// Clauses: E4.
func TestSecretsExpire(t *testing.T) {
	name := filepath.Join(t.TempDir(), "secrets.properties")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for reload, again := range map[string]bool{"": true, "restart": true, "none": false} {
		t.Run(reload, func(t *testing.T) {
			write("password=first-password\n")
			synctest.Test(t, func(t *testing.T) {
				e := &fakeEngine{split: func(spec runtime.TaskSpec, _ int) ([]connector.Props, error) {
					p := spec.Props.Clone()
					return []connector.Props{p, p.Clone()}, nil
				}}
				resolver, err := config.NewResolver(connector.Props{"config.providers": "file", "config.providers.file.param.ttl.ms": "60000"})
				if err != nil {
					t.Fatal(err)
				}
				kept, err := store.OpenFile("", nil)
				if err != nil {
					t.Fatal(err)
				}
				h := New(Options{Engine: e, Validator: &config.Validator{Plugins: fakePlugins(), Resolver: resolver}, Worker: connector.Props{}, Store: kept}, nil)
				defer closeIt(t, h)
				props := source("tasks.max", "2", "secret", "${file:"+name+":password}")
				if reload != "" {
					props["config.action.reload"] = reload
				}
				if _, err := h.Create("c", props, state.TargetStarted); err != nil {
					t.Fatal(err)
				}
				expect := func(when string, after time.Duration, starts int, password string) {
					t.Helper()
					time.Sleep(after)
					synctest.Wait()
					if !again {
						starts, password = 2, "first-password"
					}
					if n, got := e.count(), e.last().spec.TaskProps["secret"]; n != starts || got != password {
						t.Fatalf("%s: %d starts with %v, want %d with %s", when, n, got, starts, password)
					}
				}
				expect("at first", 0, 2, "first-password")
				expect("the same", time.Hour, 2, "first-password")
				write("password=second-password\n")
				expect("another, early", 59*time.Second, 2, "first-password")
				expect("another", time.Second, 4, "second-password")
				write("")
				expect("gone", time.Hour, 4, "second-password")
				write("password=third-password\n")
				expect("back as another", time.Minute, 6, "third-password")
				if got := states(t, h, "c"); got != "RUNNING RUNNING RUNNING" {
					t.Errorf("it is %s", got)
				}
			})
		})
	}
}
