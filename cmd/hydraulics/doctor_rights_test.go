package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// login gives the property that logs in as a user whose password is the name.
func login(prefix, user string) string {
	return prefix + `sasl.jaas.config: 'org.apache.kafka.common.security.plain.PlainLoginModule required username="` + user + `" password="` + user + `";'`
}

// Each right is asked of the user who needs it: the producer's writes, and the one for
// topics reads what a stream keeps.
func TestDoctorOfRights(t *testing.T) {
	broker := kafkatest.StartWithRights(t, "buoy", "buoy", kafkatest.MayRead("in"), kafkatest.MayWrite("out"), kafkatest.MayUseGroup("connect-best-read"), kafkatest.MayUseGroup("connect-best-write"),
		kafkatest.MayRead("read"), kafkatest.MayRead("connect-best-read-keep-best-changelog"), kafkatest.MayWrite("connect-best-write-keep-best-changelog"))
	const sasl = "security.protocol: SASL_PLAINTEXT\n  sasl.mechanism: PLAIN\n  "
	client, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}, Props: map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
		"sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="admin";`}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for _, name := range []string{"in", "out", "read", "hidden", "connect-best-read-keep-best-changelog", "connect-best-write-keep-best-changelog"} {
		if err := client.CreateTopic(t.Context(), kafka.TopicSpec{Name: name, Partitions: 1, Replication: 1}); err != nil {
			t.Fatal(err)
		}
	}
	const source, renamed = "connector.class: datagen\n    topic: ", "\n    transforms: route\n    transforms.route.type: regex-router\n    transforms.route.regex: .*\n    transforms.route.replacement: out"
	const stream = "connector.class: stream\n    topics: in\n    topic: out\n    value.converter: {class: json, schemas.enable: false}\n    input.value.converter: {class: json, schemas.enable: false}\n" +
		"    transforms: best\n    transforms.best.type: keep-best\n    transforms.best.key: pid\n    transforms.best.score: prob\n    "
	const sink = "connector.class: file-sink\n    file: /dev/null\n    "
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	service := "connector.class: rest-sink\n    url: " + web.URL + "\n    "
	theirs := "connector.class: io.confluent.connect.http.HttpSinkConnector\n    http.api.url: " + web.URL + "\n    "
	bins := "connector.class: ifcb\n    folder: " + t.TempDir() + "\n    topic: out\n    bins.topic: "
	tests := []struct {
		name, as, connector string
		want                string // start and code of the only line that is not in order
	}{
		{"a source", "source", source + "out", ""},
		{"a source that may only read", "source", source + "read", "fail H2009"},
		{"a source of a topic that is not seen", "source", source + "hidden", "fail H2015"},
		{"a source that may only read, with transforms", "source", source + "read" + renamed, "warn H2009"},
		{"a source of a topic that is not seen, with transforms", "source", source + "hidden" + renamed, "warn H2015"},
		{"state that may only be read", "read", stream, "fail H2009"},
		{"state that may only be written", "write", stream, "fail H2022"},
		{"state that may only be written, though the producer may read", "write", stream + login("producer.override.", "admin"), "fail H2022"},
		{"answers to a topic that may only be read", "read", service + "topics: read\n    report.topic: read", "fail H2009"},
		{"answers to a topic that may be written to", "read", service + "topics: read\n    report.errors.topic: out", ""},
		{"answers in the words of others", "read", theirs + "topics: read\n    reporter.error.topic.name: read", "fail H2009"},
		{"a topic of bins that may only be read", "source", bins + "read", "fail H2009"},
		{"a topic of bins that may be written to", "source", bins + "out", ""},
		{"an expression of topics that may be read", "read", sink + "topics.regex: in|read", ""},
		{"an expression of which some may not be read", "read", sink + "topics.regex: in|out", "fail H2022"},
		{"an expression that no topic has", "read", sink + "topics.regex: none.*", "warn H2013"},
		{"a topic that is not seen", "read", sink + "topics: hidden", "fail H2015"},
		{"dead letters to a topic that may only be read", "read", sink + "topics: in\n    errors.tolerance: all\n    errors.deadletterqueue.topic.name: read", "fail H2009"},
		{"state that others read", "write", stream + login("admin.override.", "admin"), ""},
		{"state that others write", "read", stream + login("producer.override.", "admin"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "flow.yaml")
			text := "worker:\n  bootstrap.servers: " + broker + "\n  " + sasl + login("", "buoy") + "\n  key.converter: string\n  value.converter: string\nconnectors:\n  best-" + tt.as + ":\n    " + tt.connector + "\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := command(t, "doctor", "-f", file, "--timeout", "1m")
			state, code, _ := strings.Cut(tt.want, " ")
			if (err != nil) != (state == "fail") {
				t.Errorf("it ends with %v", err)
			}
			var got []string
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "fail ") || strings.HasPrefix(line, "warn ") {
					got = append(got, strings.TrimSpace(line))
				}
			}
			if tt.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], state+" ") || !strings.HasSuffix(strings.TrimSuffix(got[0], ", unless transforms have the records go to another topic"), "["+code+"]") {
				t.Errorf("want %s in:\n%s", tt.want, out)
			}
		})
	}
}
