package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/runtime/internal/steer"
)

// A file of offsets that cannot be read is told of beside everything else.
func TestDoctorOfOffsetsThatCannotBeRead(t *testing.T) {
	file := write(t, "flow.yaml", "worker: {bootstrap.servers: '"+kafkatest.Start(t)+"', offset.storage.file.filename: flow.offsets, key.converter: string, value.converter: string}\n"+
		"connectors:\n  numbers: {connector.class: datagen, topic: numbers}\n")
	offsets := filepath.Join(filepath.Dir(file), "flow.offsets")
	if err := os.WriteFile(offsets, []byte("no offsets"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t.Context(), "doctor", "-f", file, "--timeout", "1m")
	if !errors.Is(err, steer.ErrDiffers) || strings.Count(out, "\nfail ") != 1 || !strings.Contains(out, "file of offsets "+offsets) || !strings.Contains(out, "[H7006]") || !strings.Contains(out, "topic numbers") {
		t.Errorf("%v:\n%s", err, out)
	}
	if _, err := run(t.Context(), "preview", file); err == nil || !strings.Contains(err.Error(), "offset file "+offsets) {
		t.Errorf("preview: %v", err)
	}
}

// The file of a cluster's worker has its group and its topics looked at; none is made.
func TestDoctorOfACluster(t *testing.T) {
	broker := kafkatest.Start(t)
	client, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for _, topic := range []kafka.TopicSpec{{Name: "many", Partitions: 2, Replication: 1}, {Name: "deleted", Partitions: 1, Replication: 1, Config: map[string]string{"cleanup.policy": "delete"}}} {
		if err := client.CreateTopic(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	file := write(t, "worker.properties", fmt.Sprintf("bootstrap.servers=%s\ngroup.id=lab\nconfig.storage.topic=new\nconfig.storage.replication.factor=1\noffset.storage.topic=new-offsets\n"+
		"offset.storage.replication.factor=1\nstatus.storage.topic=new-status\nstatus.storage.replication.factor=1\nkey.converter=json\nvalue.converter=json\n", broker))
	tests := []struct {
		name, set string
		want      string // of the only line that is not in order
	}{
		{"in order", "client.id=a", ""},
		{"several partitions", "config.storage.topic=many", "[H2018]"},
		{"not compacted", "config.storage.topic=deleted", "[H2019]"},
		{"too few brokers", "status.storage.replication.factor=3", "[H8008]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(t.Context(), "doctor", "-f", file, "--set", tt.set, "--timeout", "1m")
			if wrong := errors.Is(err, steer.ErrDiffers); wrong != (tt.want != "") {
				t.Errorf("it ends with %v", err)
			}
			if strings.Count(out, "\nfail ") != strings.Count(tt.want, "[") || !strings.Contains(out, tt.want) || !strings.Contains(out, "group lab") {
				t.Errorf("want %s in:\n%s", tt.want, out)
			}
		})
	}
	if topics, err := client.DescribeTopics(t.Context(), nil); err != nil || len(topics) != 2 {
		t.Errorf("topics were made: %v, %v", topics, err)
	}
	if files, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(files) != 1 {
		t.Errorf("files were made: %v, %v", files, err)
	}
}
