package progress

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
)

// TestTold: another worker makes of what it is told the snapshot that there was.
func TestTold(t *testing.T) {
	at := time.Unix(1e9, 0).UTC()
	for kind, lag := range map[runtime.Kind]map[connector.TopicPartition]int64{runtime.KindSource: nil, runtime.KindSink: {{}: 8}} {
		want := runtime.Stats{RecordsIn: 1, RecordsOut: 2, Dropped: 3, Active: 4, LastIn: at, LastOut: at.Add(1), Newest: at.Add(2), Restoring: true, Lag: lag,
			RecentIn: runtime.Recent{Sum: 5, Span: time.Second}, RecentOut: runtime.Recent{Sum: 6, Span: time.Second},
			Commits: runtime.Commits{Last: at.Add(3)}, Waits: &runtime.Waits{Why: "Kafka", Since: at.Add(4), Stalled: true},
			Errors: runtime.Errors{Skipped: 7, DeadLetters: 9, Last: "refused", LastTime: at.Add(5), Retrying: true}}
		text, err := json.Marshal(Of(want, 3))
		if err != nil {
			t.Fatal(err)
		}
		var told Task
		if err := json.Unmarshal(text, &told); err != nil {
			t.Fatal(err)
		}
		got, starts := told.Stats(kind)
		if d := cmp.Diff(want, got); d != "" || starts != 3 {
			t.Errorf("%s: started %d times, %s", kind, starts, d)
		}
	}
	var earlier Task
	if err := json.Unmarshal([]byte(`{"records_in": 3}`), &earlier); err != nil || earlier.Now != nil {
		t.Errorf("an earlier version tells %+v, %v", earlier.Now, err)
	}
}
