package rest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
)

func TestPreview(t *testing.T) {
	var effects []connector.Effect
	s, c := new(Sink), connectortest.Context(t)
	reporter := new(connectortest.Reporter)
	c.Reporter = reporter
	c.Preview = &connector.Preview{Would: func(e connector.Effect) { effects = append(effects, e) }}
	// Nobody listens there: a request that is sent would be an error.
	conf := connectortest.Configure(t, s, connector.Props{"url": "http://127.0.0.1:1/samples/${key}?token=s3cret", "batch.size": "1",
		"auth.type": "bearer", "auth.token": "s3cret", "headers": "X-Site: s3cret"})
	records := []connector.Record{
		connector.NewRecord("t", nil, "k", nil, map[string]any{"a": int64(1)}),
		connector.NewRecord("t", nil, []byte("no"), nil, map[string]any{"a": int64(2)}),
		connector.NewRecord("t", nil, "l", nil, map[string]any{"a": int64(3)}),
	}
	if err := s.Preview(t.Context(), c, conf, records); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	shown := func(key, body string, record int) connector.Effect {
		return connector.Effect{Does: "send 1 records: POST http://127.0.0.1:1/samples/" + key, Records: []int{record}, Text: strings.Join([]string{
			"POST /samples/" + key + "?token=[hidden]", "Host: 127.0.0.1:1", "Authorization: [hidden]", "Content-Type: application/json", "User-Agent: hydraulics/" + Version, "X-Site: [hidden]",
			"", body}, "\n")}
	}
	want := []connector.Effect{shown("k", `{"a":1}`, 0), shown("l", `{"a":3}`, 2)}
	if d := cmp.Diff(want, effects); d != "" {
		t.Error(d)
	}
	if _, causes := reporter.Reported(); len(causes) != 1 || !strings.Contains(causes[0].Error(), "${key} is a [B, but only a primitive value") {
		t.Errorf("reported: %v", causes)
	}
}
