package wire

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestPrefix(t *testing.T) {
	for _, id := range []int{1, 260, 1<<31 - 1} {
		prefix := Prefix(id)
		got, value, err := Split(append(prefix[:], "value"...))
		if got != id || string(value) != "value" || err != nil {
			t.Errorf("%d comes back as %d with %q, %v", id, got, value, err)
		}
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing": {nil, "no bytes at all"},
		"short":   {[]byte{0, 0, 1}, "3 bytes, expected"},
		"JSON":    {[]byte(`{"a": 1}`), "is this JSON? then the converter must be json"},
		"other":   {[]byte{7, 0, 0, 0, 1}, "the first byte is 0x7"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Split(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func settings(t *testing.T, key bool, props connector.Props) Settings {
	t.Helper()
	conf, err := connector.NewConfigDef(Keys()...).Parse(props)
	if err != nil {
		t.Fatal(err)
	}
	return SettingsOf(conf, key)
}

func TestSettings(t *testing.T) {
	type plain struct {
		AutoRegister, UseLatest, Strict bool
		LatestTTL                       time.Duration
		CacheSize                       int
	}
	for name, c := range map[string]struct {
		props connector.Props
		want  plain
	}{
		"defaults": {nil, plain{AutoRegister: true, Strict: true, LatestTTL: -time.Second, CacheSize: 1000}},
		"given": {connector.Props{"auto.register.schemas": "false", "use.latest.version": "true", "latest.compatibility.strict": "false", "latest.cache.ttl.sec": "30", "schemas.cache.size": "5"},
			plain{UseLatest: true, LatestTTL: 30 * time.Second, CacheSize: 5}},
		"Confluent's cache": {connector.Props{"schemas.cache.size": "5", "schemas.cache.config": "7"}, plain{AutoRegister: true, Strict: true, LatestTTL: -time.Second, CacheSize: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings(t, false, c.props)
			got := plain{s.AutoRegister, s.UseLatest, s.Strict, s.LatestTTL, s.CacheSize}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStale(t *testing.T) {
	long := time.Now().Add(-time.Hour)
	for name, c := range map[string]struct {
		props connector.Props
		want  bool
	}{
		"for ever":         {connector.Props{"use.latest.version": "true"}, false},
		"a minute":         {connector.Props{"use.latest.version": "true", "latest.cache.ttl.sec": "60"}, true},
		"none is fetched":  {connector.Props{"latest.cache.ttl.sec": "60"}, false},
		"longer than that": {connector.Props{"use.latest.version": "true", "latest.cache.ttl.sec": "86400"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := settings(t, false, c.props).Stale(long); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestSubjects(t *testing.T) {
	record := connector.StructOf("ns.Rec")
	for name, c := range map[string]struct {
		key    bool
		props  connector.Props
		schema *connector.Schema
		want   string // an error's part begins with !
	}{
		"of values":          {false, nil, record, "topic-value"},
		"of keys":            {true, nil, nil, "topic-key"},
		"by record":          {false, connector.Props{"value.subject.name.strategy": "RecordNameStrategy"}, record, "ns.Rec"},
		"by both":            {true, connector.Props{"key.subject.name.strategy": javaPackage + "TopicRecordNameStrategy"}, record, "topic-ns.Rec"},
		"fixed":              {false, connector.Props{"subject": "one"}, nil, "one"},
		"without its record": {false, connector.Props{"value.subject.name.strategy": "RecordNameStrategy"}, connector.StringSchema, "!RecordNameStrategy needs a record with a name"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := settings(t, c.key, c.props).Subjects.Of("topic", c.schema)
			if part, fails := strings.CutPrefix(c.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want %s", err, part)
				}
			} else if got != c.want || err != nil {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}
