package compacted

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestSettings(t *testing.T) {
	worker := connector.Props{
		"group.id":             "cluster",
		"config.storage.topic": "configs", "config.storage.replication.factor": "1", "config.storage.partitions": "7", "config.storage.cleanup.policy": "delete",
		"config.storage.max.message.bytes": "2000000", "config.storage.min.insync.replicas": 2,
		"offset.storage.topic": " offsets ", "offset.storage.partitions": "-1", "offset.storage.replication.factor": "-1", "offset.storage.file.filename": nil,
		"status.storage.replication.factor": "0", "status.storage.partitions": "many",
	}
	tests := []struct {
		use     Use
		want    Settings
		ignored []string
		err     string
	}{
		{Configs, Settings{Configs, "configs", 1, 1, map[string]string{"max.message.bytes": "2000000", "min.insync.replicas": "2"}},
			[]string{"config.storage.cleanup.policy", "config.storage.partitions"}, ""},
		{Offsets, Settings{Offsets, "offsets", -1, -1, map[string]string{}}, nil, ""},
		{Statuses, Settings{}, nil, "status.storage.partitions: \"many\" is neither -1, the broker's default, nor a number of 1 to 2147483647\n" +
			"status.storage.replication.factor: \"0\" is neither -1, the broker's default, nor a number of 1 to 32767\n" +
			"status.storage.topic: missing: name the topic"},
	}
	for _, tt := range tests {
		t.Run(string(tt.use), func(t *testing.T) {
			got, ignored, err := tt.use.Of(worker)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			}
			if d := cmp.Diff(tt.want, got) + cmp.Diff(tt.ignored, ignored); d != "" || err != nil {
				t.Error(err, d)
			}
		})
	}
	for use, n := range map[Use]int32{Configs: 1, Offsets: 25, Statuses: 5} {
		got, _, err := use.Of(connector.Props{string(use) + "topic": "t"})
		if d := cmp.Diff(Settings{use, "t", n, 3, map[string]string{}}, got); d != "" || err != nil {
			t.Error(use, err, d)
		}
	}
}
