package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// top shows rates of what runs at any worker of a cluster.
func TestTopOfACluster(t *testing.T) {
	leader, other := startTwo(t, kafkatest.Start(t))
	do(t, leader, 201, "POST", "/connectors", `{"name": "ticks", "config": {"connector.class": "datagen", "topic": "ticks", "rate": "200", "tasks.max": "2"}}`)
	expect(t, "ticks", "RUNNING", 2, leader, other)
	s := &steered{t: t}
	for _, w := range []*Worker{leader, other} {
		out := s.says(0, "top", "--once", "--interval", "1s", "-o", "json", "--url", w.RESTURL())
		var got []struct {
			Name, State, Tasks string
			Out                float64 `json:"records_out_per_second"`
			Lag                *int64
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil || len(got) != 1 || got[0].Name != "ticks" || got[0].Tasks != "2 RUNNING" || got[0].Out <= 0 || got[0].Lag != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	for _, form := range []string{"table", "wide", "yaml"} {
		s.expect(s.says(0, "top", "--once", "--interval", "100ms", "-o", form, "--url", leader.RESTURL()), "ticks", "2 RUNNING")
	}
}

// Where nothing tells what tasks have done, as with Java's workers, that is said; a
// worker that cannot be asked is noted.
func TestTopOfOtherWorkers(t *testing.T) {
	status := `"status":{"name":"c","connector":{"state":"RUNNING","worker_id":"HOST"},"tasks":[{"id":0,"state":"RUNNING","worker_id":"HOST"}]}`
	host := ""
	java := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := strings.ReplaceAll(`{"c":{"info":{"name":"c","config":{},"type":"sink"},`+status+`}}`, "HOST", host)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(java.Close)
	s := &steered{t: t}
	host = strings.TrimPrefix(java.URL, "http://")
	s.expect(s.says(3, "top", "--once", "--url", java.URL), "it does not tell what tasks have done", "one of hydraulics' own")
	host = "127.0.0.1:1"
	s.expect(s.says(0, "top", "--once", "--interval", "10ms", "--url", java.URL), "what the tasks of worker 127.0.0.1:1 have done is not known", "c     sink  RUNNING  1 RUNNING  -")
	s.expect(s.says(4, "top", "--once", "--url", "http://127.0.0.1:1"), "is a worker running there?")
	s.expect(s.says(1, "top", "--interval", "0s"), "want a time above 0")
}
