package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
)

func TestOffsetFile(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	names := map[string]bool{}
	for _, in := range []Options{
		{Dashboard: "http://a/x", Topic: "t", Broker: "b:9092"}, {Dashboard: "http://a/x/", Topic: "t", Broker: "b:9092"},
		{Dashboard: "http://a/y", Topic: "t", Broker: "b:9092"}, {Dashboard: "http://a/x", Topic: "u", Broker: "b:9092"},
		{Dashboard: "http://a/x", Topic: "t", Broker: "c:9092"},
	} {
		name, err := in.offsetFile()
		if err != nil {
			t.Fatal(err)
		}
		names[name] = true
	}
	if len(names) != 4 {
		t.Errorf("%d files: %v", len(names), names)
	}
}

func TestStall(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	retrying := runtime.Errors{Retrying: true, Last: "Dashboard: 503"}
	steps := []struct {
		name  string
		stats runtime.Stats
		at    int
		want  string
	}{
		{"nothing yet", runtime.Stats{}, 0, ""},
		{"a slow download", runtime.Stats{}, 1000, ""},
		{"trouble begins", runtime.Stats{Errors: retrying}, 1001, ""},
		{"it lasts", runtime.Stats{Errors: retrying}, 1010, ""},
		{"progress", runtime.Stats{RecordsIn: 2, RecordsOut: 2}, 1062, ""},
		{"kafka is slow", runtime.Stats{RecordsIn: 4, RecordsOut: 2, Active: 2}, 1070, ""},
		{"kafka is slow still", runtime.Stats{RecordsIn: 4, RecordsOut: 2, Active: 2}, 1071, ""},
		{"kafka is gone", runtime.Stats{RecordsIn: 4, RecordsOut: 2, Active: 2}, 1131, "kafka has not taken 2 images"},
		{"and the dashboard", runtime.Stats{RecordsIn: 4, RecordsOut: 2, Active: 2, Errors: retrying}, 1132, "Dashboard: 503"},
	}
	var s stall
	for _, step := range steps {
		err := s.judge(step.stats, at(step.at), time.Minute)
		if step.want == "" && err != nil || step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)) {
			t.Errorf("%s: %v, want %q", step.name, err, step.want)
		}
	}
}
