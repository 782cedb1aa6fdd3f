package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

// What is wrong with the keys of topic creation is said before a topic is
// needed, in Java's words; not where the worker creates none.
func TestTopicCreationKeys(t *testing.T) {
	both := connector.Props{"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "-1"}
	with := func(base connector.Props, pairs ...string) connector.Props {
		p := base.Clone()
		for i := 0; i < len(pairs); i += 2 {
			p[pairs[i]] = pairs[i+1]
		}
		return p
	}
	for name, c := range map[string]struct {
		props connector.Props
		want  []string
	}{
		"nothing": {connector.Props{}, nil},
		"default": {both, nil},
		"required once used": {connector.Props{"topic.creation.groups": "g", "topic.creation.g.include": "a"}, []string{
			`Missing required configuration "topic.creation.default.replication.factor" which has no default value.`,
			`Missing required configuration "topic.creation.default.partitions" which has no default value.`}},
		"a group without topics": {with(both, "topic.creation.groups", "g"), []string{
			`Missing required configuration "topic.creation.g.include" which has no default value.`}},
		"no numbers": {with(both, "topic.creation.default.partitions", "0", "topic.creation.groups", "g", "topic.creation.g.include", "a", "topic.creation.g.replication.factor", "many"), []string{
			"Invalid value 0 for configuration topic.creation.default.partitions: Partitions must be positive, or -1 to use the broker's default",
			"Invalid value many for configuration topic.creation.g.replication.factor: Not a number of type SHORT"}},
		"no expression": {with(both, "topic.creation.groups", "g", "topic.creation.g.include", "a,*"), []string{
			"Invalid value [a, *] for configuration topic.creation.g.include: Invalid regex: regex \"*\": dangling meta character '*' near index 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, enable := range []string{"true", "false"} {
				props := with(c.props, "name", "c", "connector.class", "heartbeat")
				v := &Validator{Plugins: registryOf("source"), Worker: connector.Props{"topic.creation.enable": enable}}
				report, err := v.Validate(props, Origin{})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, p := range report.Problems() {
					got = append(got, strings.Split(p.Message, "\n")[0])
				}
				want := c.want
				if enable == "false" {
					want = nil
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s: %s", enable, d)
				}
			}
		})
	}
}

func TestTopicCreationKeysWithoutEffect(t *testing.T) {
	props := connector.Props{"topic.creation.groups": "a, a.b"}
	for key, want := range map[string]string{
		"topic.creation.default.cleanup.policy":     "",
		"topic.creation.a.include":                  "",
		"topic.creation.a.b.exclude":                "",
		"topic.creation.a.b.max.message.bytes":      "",
		"topic.creation.a.partition":                "is taken for a key of the topic, did you mean partitions?",
		"topic.creation.default.replication.facter": "is taken for a key of the topic, did you mean replication.factor?",
		"topic.creation.default.include":            "has no effect: the default group takes every topic that no other group takes",
		"topic.creation.defualt.partitions":         "has no effect: topic.creation.groups does not name defualt, did you mean default?",
	} {
		if got := creationKey(props, key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}
