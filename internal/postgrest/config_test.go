package postgrest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func nothing(string) (string, bool) { return "", false }

func TestReadConfig(t *testing.T) {
	c, err := ReadConfig(strings.NewReader(`
# the original's file
db-uri = "postgres://kafka:some\"password@localhost:5441/topics"
db-schema = "public, other"
db-anon-role = "web_anon"   # everyone
db-max-rows = 1000
db-pool-acquisition-timeout = 3
db-aggregates-enabled = true
db-channel-enabled = false
db-prepared-statements = false
server-host = "!4"
server-allowed-hosts = "api.example, other.example"
openapi-server-proxy-uri = "https://public.example/api"
server-port = 3000
log-level = "info"
`), func(name string) (string, bool) { return "3001", name == "PGRST_SERVER_PORT" })
	if err != nil {
		t.Fatal(err)
	}
	want := Config{Options: Options{URI: `postgres://kafka:some"password@localhost:5441/topics`, Schemas: []string{"public", "other"}, AnonRole: "web_anon",
		MaxRows: 1000, PoolTimeout: 3 * time.Second, Aggregates: true, Deaf: true, ExtraSearchPath: []string{"public"}, PublicURL: "https://public.example/api"},
		Host: "!4", Port: 3001, AllowedHosts: []string{"api.example", "other.example"}, Remarks: []string{"log-level has no effect"}}
	if d := cmp.Diff(want, c, cmpopts.IgnoreUnexported(Options{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"api.example", "other.example", "!4", "public.example"}, c.Hosts()); d != "" {
		t.Error(d)
	}
	if Listen(c.Host) != "0.0.0.0" || Listen("*") != "" || Listen("localhost") != "localhost" {
		t.Error("hosts")
	}
}

func TestReadConfigSaysEverythingWrong(t *testing.T) {
	_, err := ReadConfig(strings.NewReader("db-uri\nserver-port = 99999\ndb-max-rows = \"many\"\ndb-schema = \"a\" b\ndb-anon-role = \"x\njwt-secret = \"s\"\ndb-aggregates-enabled = maybe"), nothing)
	want := `line 1: expected key = value
line 2: server-port: "99999" is not a port
line 3: db-max-rows: "many" is not a number
line 4: db-schema: text after the closing quote
line 5: db-anon-role: a quote is not closed, or an escape in it is wrong
line 6: jwt-secret: tokens are not offered: everyone is the anonymous role; take the key out
line 7: db-aggregates-enabled: "maybe" is neither true nor false`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}
