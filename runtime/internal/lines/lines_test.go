package lines

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func texts(l *Lines, connector string) (list []string) {
	for _, line := range l.Of(connector) {
		list = append(list, line.Level.String()+" "+line.Text)
	}
	return list
}

func TestLinesOfConnectors(t *testing.T) {
	l, out := New(), new(bytes.Buffer)
	log := slog.New(l.Handler(slog.NewTextHandler(out, nil)))
	log.Info("the worker is ready")
	task := log.With("connector", "stats", "task", 0)
	task.Warn("put refused", "url", "https://anna:hush@example.org/?token=hush", "registry.password", "hush", "tries", 3)
	task.WithGroup("of").Info("grouped", "connector", "another")
	log.Error("connector failed", "connector", "images", "error", "no dashboard")
	want := []string{
		`WARN put refused task=0 url="https://anna:[hidden]@example.org/?token=[hidden]" registry.password=[hidden] tries=3`,
		`INFO grouped task=0 of.connector=another`,
	}
	if d := cmp.Diff(want, texts(l, "stats")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`ERROR connector failed error="no dashboard"`}, texts(l, "images")); d != "" {
		t.Error(d)
	}
	if n := strings.Count(out.String(), "\n"); n != 4 {
		t.Errorf("%d of 4 lines went on:\n%s", n, out)
	}
}

func TestLinesAreBounded(t *testing.T) {
	l := New()
	long := strings.Repeat("x", 2*longest)
	for connector := range 2 * budget / longest / most {
		for range most + 1 {
			l.add(fmt.Sprint(connector), Line{Text: long})
		}
	}
	size, lines := 0, 0
	for _, list := range l.of {
		if len(list) > most {
			t.Errorf("a connector has %d lines", len(list))
		}
		for _, line := range list {
			size += len(line.Text)
			lines++
		}
	}
	if size != l.size || size > budget || size < budget/2 || lines == 0 {
		t.Errorf("%d lines have %d bytes, counted as %d, and may have %d", lines, size, l.size, budget)
	}
}
