package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

var update = flag.Bool("update", false, "write the files that hold what is wanted")

// golden compares text with a file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: %s", file, d)
	}
}

// dump writes a setup as text, one key a line.
func dump(j *Setup) string {
	var b strings.Builder
	list := func(l List) {
		for _, e := range l {
			text := fmt.Sprintf("%q", e.Text)
			if e.Null {
				text = "null"
			}
			fmt.Fprintf(&b, "  %d: %s = %s\n", e.Line, e.Key, text)
		}
	}
	if len(j.Worker) > 0 {
		b.WriteString("worker\n")
		list(j.Worker)
	}
	for _, c := range j.Connectors {
		fmt.Fprintf(&b, "connector %s%s\n", c.Name, strings.TrimRight(" "+string(c.Initial), " "))
		list(c.Entries)
	}
	return b.String()
}

// Clauses: F1.
func TestRead(t *testing.T) {
	for _, file := range []string{"flow.yaml", "java.properties", "latin1.properties", "posted.json", "flat.json"} {
		t.Run(file, func(t *testing.T) {
			j, err := Read(filepath.Join("testdata", file))
			if err != nil || len(j.Problems) > 0 {
				t.Fatal(err, j)
			}
			golden(t, strings.TrimSuffix(file, filepath.Ext(file))+"."+filepath.Ext(file)[1:]+".txt", dump(j))
		})
	}
}

func TestReadBadFiles(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"tabs", "a.yaml", "worker:\n\tx: 1\n", "a.yaml:2: is indented with a tab"},
		{"two documents", "a.yaml", "a: 1\n---\nb: 2\n", "a.yaml:2: begins another document"},
		{"a list", "a.yaml", "- a\n", `a.yaml:1: must be keys with values`},
		{"cut JSON", "a.json", "{\"a\":\n 1", "a.json:2: the text ends before the JSON does"},
		{"bad JSON", "a.json", "{\"a\":\n b}", "a.json:2: invalid character 'b' looking for beginning of value"},
		{"more JSON", "a.json", "{} {}", "a.json:1: more follows after the end of the object"},
		{"bad escape", "a.properties", "x=1\ny=\\u12", "a.properties:2: y: \\u wants four hexadecimal digits"},
		{"another kind", "a.toml", "x = 1", "a.toml: its name must end in .yaml, .yml, .properties or .json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile(tt.file, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(tt.file); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestLayers(t *testing.T) {
	j := &Setup{
		Worker:     List{{Key: "value.converter", Text: "avro"}, {Key: "value.converter.subject", Text: "s"}, {Key: "rest.port", Text: "1"}},
		Connectors: []Connector{{Name: "a", Entries: List{{Key: "topic", Text: "t"}}}, {Name: "a.b", Entries: List{{Key: "topic", Text: "t"}}}},
	}
	if err := j.ApplyEnv([]string{"CONNECT_REST_PORT=2", "CONNECT_SSL_KEY__X=k", "CONNECT_=", "HOME=h"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"rest.port=3", "connectors.a.b.topic=u", "connectors.a.new=n", "x=a=b"} {
		if err := j.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	want := "worker\n  0: value.converter = \"avro\"\n  0: value.converter.subject = \"s\"\n  0: rest.port = \"3\"\n  0: ssl.key_x = \"k\"\n  0: x = \"a=b\"\n" +
		"connector a\n  0: topic = \"t\"\n  0: new = \"n\"\nconnector a.b\n  0: topic = \"u\"\n"
	if d := cmp.Diff(want, dump(j)); d != "" {
		t.Error(d)
	}
	for _, s := range []string{"x", "=1", "connectors.c.topic=t"} {
		if err := j.Set(s); err == nil {
			t.Errorf("--set %s is taken", s)
		}
	}
}

// What the usual images of Kafka Connect take from their environment counts here.
func TestEnvironmentOfImages(t *testing.T) {
	for name, c := range map[string]struct {
		environ []string
		want    string
	}{
		"confluent": {[]string{"CONNECT_BOOTSTRAP_SERVERS=kafka:9092", "CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL=http://sr:8081",
			"CONNECT_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS=/a", "CONNECT_MY__OWN___KEY=a=b", "KAFKA_HEAP_OPTS=-Xmx1g", "CONNECT="},
			"worker\n  0: bootstrap.servers = \"kafka:9092\"\n  0: config.providers.file.param.allowed.paths = \"/a\"\n  0: my_own-key = \"a=b\"\n" +
				"  0: value.converter.schema.registry.url = \"http://sr:8081\"\n"},
		"strimzi": {[]string{"KAFKA_CONNECT_CONFIGURATION=group.id=g\noffset.flush.interval.ms: 1000\n", "KAFKA_CONNECT_BOOTSTRAP_SERVERS=kafka:9092", "CONNECT_GROUP_ID=over"},
			"worker\n  0: bootstrap.servers = \"kafka:9092\"\n  0: group.id = \"over\"\n  2: offset.flush.interval.ms = \"1000\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := new(Setup)
			if err := s.ApplyEnv(c.environ); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, dump(s)); d != "" {
				t.Error(d)
			}
		})
	}
	err := new(Setup).ApplyEnv([]string{"KAFKA_CONNECT_CONFIGURATION=a=1\nb=\\u12"})
	if err == nil || err.Error() != `$KAFKA_CONNECT_CONFIGURATION:2: b: \u wants four hexadecimal digits` {
		t.Errorf("%v", err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"pk.fields", "pk.mode", "topics", "topics.regex", "batch.size"}
	for word, want := range map[string]string{"pk.feilds": "pk.fields", "topic": "topics", "Batch.Size": "batch.size", "colour": "", "pk.mdoe": "pk.mode"} {
		if got := nearest(word, known); got != want {
			t.Errorf("nearest to %s is %q, want %q", word, got, want)
		}
	}
}

func TestNearestPlugin(t *testing.T) {
	const java = "org.apache.kafka.connect."
	infos := []connector.Info{
		{Name: "file-sink", Class: java + "file.FileStreamSinkConnector"}, {Name: "postgres", Aliases: []string{"jdbc-sink"}},
		{Name: "insert-field", Class: java + "transforms.InsertField$Value", Aliases: []string{"insert-field.value"}},
		{Name: "insert-field.key", Class: java + "transforms.InsertField$Key"}, {Name: "filter", Class: java + "transforms.Filter"},
		{Name: "json", Class: java + "json.JsonConverter"},
	}
	for word, want := range map[string]string{
		"postgers": "postgres", "jdbcsink": "jdbc-sink", "Postgres": "postgres", "FileStreamSnk": java + "file.FileStreamSinkConnector",
		"org.apache.kafka.conect.file.FileStreamSinkConnector": java + "file.FileStreamSinkConnector", "insert-feld.key": "insert-field.key",
		java + "transforms.InsrtField$Key": java + "transforms.InsertField$Key", java + "transforms.Cast$Value": "",
		"com.example.ProtobufConverter": "", "jsn": "json", "": "",
	} {
		if got := NearestPlugin(word, infos); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
