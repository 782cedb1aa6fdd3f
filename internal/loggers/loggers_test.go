package loggers_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/loggers"
)

// own is the logger of this package.
const own = "hydraulics.internal.loggers_test"

// wrapped gives a logger with levels and what it writes.
func wrapped(level slog.Level) (*slog.Logger, *loggers.Registry, *bytes.Buffer) {
	out := new(bytes.Buffer)
	h := loggers.Wrap(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	return slog.New(h), h.Registry(), out
}

// Clauses: K11.
func TestLevels(t *testing.T) {
	type set struct{ name, level string }
	tests := []struct {
		name string
		root slog.Level
		sets []set
		want string // the levels that are written
	}{
		{"as the program says", slog.LevelInfo, nil, "INFO WARN ERROR"},
		{"as the program says, more", slog.LevelDebug, nil, "DEBUG INFO WARN ERROR"},
		{"the package", slog.LevelInfo, []set{{own, "DEBUG"}}, "DEBUG INFO WARN ERROR"},
		{"another package", slog.LevelInfo, []set{{"hydraulics.runtime", "DEBUG"}}, "INFO WARN ERROR"},
		{"a package whose name goes on", slog.LevelInfo, []set{{"hydraulics.internal.loggers", "DEBUG"}}, "INFO WARN ERROR"},
		{"what is above it", slog.LevelInfo, []set{{"hydraulics", "ERROR"}}, "ERROR"},
		{"the last one counts", slog.LevelInfo, []set{{own, "DEBUG"}, {"hydraulics.internal", "WARN"}}, "WARN ERROR"},
		{"one of its own after one above", slog.LevelInfo, []set{{"hydraulics", "OFF"}, {own, "WARN"}}, "WARN ERROR"},
		{"root", slog.LevelInfo, []set{{own, "DEBUG"}, {"ROOT", "ERROR"}}, "ERROR"},
		{"off", slog.LevelInfo, []set{{own, "OFF"}}, ""},
		{"all", slog.LevelError, []set{{own, "ALL"}}, "DEBUG INFO WARN ERROR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log, registry, out := wrapped(tt.root)
			log = log.With("a", 1).WithGroup("g")
			for _, s := range tt.sets {
				registry.Set(s.name, s.level)
			}
			var got []string
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				out.Reset()
				log.Log(t.Context(), level, "x")
				if strings.Contains(out.String(), "msg=x a=1") {
					got = append(got, level.String())
				}
			}
			if d := cmp.Diff(tt.want, strings.Join(got, " ")); d != "" {
				t.Error(d)
			}
		})
	}
}

// A name of Java's sets the packages that do its work here.
//
// Clauses: K11.
func TestJavaNames(t *testing.T) {
	_, registry, _ := wrapped(slog.LevelInfo)
	level := func(name string) string {
		l, ok := registry.Get(name)
		if !ok {
			t.Errorf("%s is not known", name)
		}
		return l.Name
	}
	changed := registry.Set("org.apache.kafka.connect.runtime.rest", "TRACE")
	if !strings.Contains(strings.Join(changed, " "), "org.apache.kafka.connect.runtime.rest.RestServer") {
		t.Errorf("changed %q", changed)
	}
	if got := level("hydraulics.runtime.rest"); got != "TRACE" {
		t.Errorf("the package has %s", got)
	}
	registry.Set("hydraulics.transforms", "WARN")
	if got := level("org.apache.kafka.connect.transforms.Cast"); got != "WARN" {
		t.Errorf("a transform of Java has %s", got)
	}
	if got := level("hydraulics.runtime.herder"); got != "INFO" {
		t.Errorf("the herder has %s", got)
	}
	registry.Set("org.apache.kafka.connect", "ERROR")
	if got := level("hydraulics.runtime.herder"); got != "ERROR" {
		t.Errorf("the herder has %s", got)
	}
}

// Clauses: K11.
func TestRegistry(t *testing.T) {
	log, registry, _ := wrapped(slog.LevelInfo)
	if _, ok := registry.Get("no.such.logger"); ok {
		t.Error("a logger is known that there is not")
	}
	if l, ok := registry.Get("root"); !ok || l.Name != "INFO" || !l.Modified.IsZero() {
		t.Errorf("root is %+v", l)
	}
	if d := cmp.Diff([]string{"com.example.mine"}, registry.Set("com.example.mine", "DEBUG")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{}, registry.Set("com.example.mine", "DEBUG")); d != "" {
		t.Errorf("what has not changed: %s", d)
	}
	if l, ok := registry.Get("com.example.mine"); !ok || l.Name != "DEBUG" || l.Modified.IsZero() {
		t.Errorf("it is %+v", l)
	}
	log.Info("this package is known now")
	all := registry.All()
	if _, there := all[own]; !there {
		t.Error("a package that has logged is not listed")
	}
	if changed := registry.Set("root", "OFF"); changed[len(changed)-1] != "root" {
		t.Errorf("changed %q", changed)
	}
	if all := registry.All(); len(all) != 0 {
		t.Errorf("%d loggers are listed that are off", len(all))
	}
	for name, want := range map[string]bool{"debug": true, "Warn": true, "LOUD": false, "": false} {
		if _, ok := loggers.ParseLevel(name); ok != want {
			t.Errorf("level %q: %v", name, ok)
		}
	}
	if h := loggers.Wrap(log.Handler()); h != log.Handler() {
		t.Error("a handler with levels was given others")
	}
}
