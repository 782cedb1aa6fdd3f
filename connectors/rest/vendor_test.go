package rest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/connector/connectortest"
	"github.com/axiom-data-science/hydraulics/internal/test/documented"
)

const (
	aivenClass     = "io.aiven.kafka.connect.http.HttpSinkConnector"
	confluentClass = "io.confluent.connect.http.HttpSinkConnector"
)

// startAs starts the sink that answers to a class name.
func startAs(t *testing.T, class string, reporter connector.ErrantReporter, props connector.Props) *vendorSink {
	t.Helper()
	plugin, err := connector.Plugins.New(connector.SinkType, class)
	if err != nil {
		t.Fatal(err)
	}
	s := plugin.(*vendorSink)
	c := connectortest.Context(t)
	c.Reporter = reporter
	if err := s.Start(t.Context(), c, connectortest.Configure(t, s, props)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

// A file of theirs sends what it sent there.
//
// Clauses: N15, N16.
func TestVendors(t *testing.T) {
	structs := records(2)
	const zero, one = `{"n":0,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}`, `{"n":1,"at":"1970-01-01T00:00:00.000Z","b":"AQ=="}`
	const printed = "Struct{n=0,at=Thu Jan 01 00:00:00 UTC 1970,b=01}"
	tests := []struct {
		name, class string
		props       connector.Props
		records     []connector.Record
		want        []string
		header      http.Header
	}{
		{"Aiven: text, one by one", aivenClass, connector.Props{"http.authorization.type": "static", "http.headers.authorization": "Key abc", "http.headers.additional": "X-A:b"}, texts(2, 2),
			[]string{"POST / 000", "POST / 001"}, http.Header{"Authorization": {"Key abc"}, "X-A": {"b"}}},
		{"Aiven: JSON in batches", aivenClass, connector.Props{"http.authorization.type": "none", "batching.enabled": "true", "http.headers.content.type": "application/json"}, structs,
			[]string{"POST / " + zero + "\n" + one + "\n"}, http.Header{"Content-Type": {"application/json"}}},
		{"Aiven: other separators", aivenClass, connector.Props{"http.authorization.type": "none", "batching.enabled": "true", "batch.max.size": "2", "batch.prefix": "[", "batch.suffix": `]\n`, "batch.separator": ","}, texts(3, 3),
			[]string{"POST / [000,001]\n", "POST / [002]\n"}, nil},
		{"Confluent: text", confluentClass, connector.Props{"headers": "X-A: b, c|X-D:e", "auth.type": "basic", "connection.user": "u", "connection.password": "p"}, structs[:1],
			[]string{"POST / " + printed}, http.Header{"X-A": {"b, c"}, "X-D": {"e"}, "Authorization": {"Basic dTpw"}}},
		{"Confluent: an array of one", confluentClass, connector.Props{"request.body.format": "json", "request.method": "PUT"}, structs,
			[]string{"PUT / [" + zero + "]", "PUT / [" + one + "]"}, nil},
		{"Confluent: an array", confluentClass, connector.Props{"request.body.format": "json", "batch.max.size": "10"}, structs, []string{"POST / [" + zero + "," + one + "]"}, nil},
		{"Confluent: no array", confluentClass, connector.Props{"request.body.format": "json", "batch.json.as.array": "false"}, structs[:1], []string{"POST / " + zero}, nil},
		{"Confluent: separators", confluentClass, connector.Props{"batch.max.size": "10", "batch.prefix": "<", "batch.suffix": ">", "batch.separator": ";", "headers": "A:b;C:d", "header.separator": ";"}, texts(2, 2),
			[]string{"POST / <000;001>"}, http.Header{"A": {"b"}, "C": {"d"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service := newService(t, nil)
			props := tt.props.Clone()
			props[map[string]string{aivenClass: "http.url", confluentClass: "http.api.url"}[tt.class]] = service.URL
			if err := startAs(t, tt.class, nil, props).Put(t.Context(), tt.records); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, service.got()); d != "" {
				t.Error(d)
			}
			for name, want := range tt.header {
				if d := cmp.Diff(want, service.last[name]); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		})
	}
}

// Clauses: N15, N16.
func TestVendorsBehaviour(t *testing.T) {
	null := texts(2, 2)
	null[0].Value = nil
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if body == "001" {
			return 422
		}
		return 0
	})
	put := func(class string, props connector.Props) (reported int, err error) {
		t.Helper()
		reporter := new(connectortest.Reporter)
		err = startAs(t, class, reporter, props).Put(t.Context(), null)
		list, _ := reporter.Reported()
		return len(list), err
	}
	if n, err := put(aivenClass, connector.Props{"http.url": service.URL, "http.authorization.type": "none"}); n != 2 || err != nil {
		t.Errorf("Aiven's: %d reported, %v", n, err)
	}
	if n, err := put(confluentClass, connector.Props{"http.api.url": service.URL}); n != 1 || err != nil {
		t.Errorf("Confluent's: %d reported, %v", n, err)
	}
	s := startAs(t, confluentClass, nil, connector.Props{"http.api.url": service.URL, "behavior.on.error": "log", "behavior.on.null.values": "log", "http.connect.timeout.ms": "1000", "http.request.timeout.ms": "2000"})
	if err := s.Put(t.Context(), null); err != nil {
		t.Error(err)
	}
	if s.client.Timeout != 3*time.Second {
		t.Errorf("a request may take %s", s.client.Timeout)
	}
	s = startAs(t, aivenClass, nil, connector.Props{"http.url": service.URL, "http.authorization.type": "none", "http.timeout": "7", "kafka.retry.backoff.ms": "9", "max.retries": "2"})
	if s.client.Timeout != 7*time.Second || s.backoff != 9*time.Millisecond || s.retries != 2 {
		t.Errorf("%s, %s, %d", s.client.Timeout, s.backoff, s.retries)
	}
	s = startAs(t, confluentClass, nil, connector.Props{"http.api.url": service.URL, "https.host.verifier.enabled": "false", "http.proxy.host": "proxy", "http.proxy.port": "3128", "http.proxy.user": "u", "http.proxy.password": "p"})
	proxy, err := s.client.Transport.(*http.Transport).Proxy(new(http.Request))
	if err != nil || proxy.String() != "http://u:p@proxy:3128" || !s.client.Transport.(*http.Transport).TLSClientConfig.InsecureSkipVerify {
		t.Errorf("%v, %v", proxy, err)
	}
}

// Clauses: N15, N16.
func TestVendorsValidate(t *testing.T) {
	tests := []struct {
		name, class string
		props       connector.Props
		want        []string
	}{
		{"Aiven: the least", aivenClass, connector.Props{"http.url": "http://h", "http.authorization.type": "none"}, nil},
		{"Aiven: what is missing", aivenClass, connector.Props{"http.url": "ftp://h"}, []string{"http.url Invalid value ftp://h for configuration http.url: must be an http", `http.authorization.type Missing required configuration`, "http.authorization.type Invalid value"}},
		{"Aiven: no token", aivenClass, connector.Props{"http.url": "http://h", "http.authorization.type": "static"}, []string{"http.headers.authorization auth.type=header needs http.headers.authorization"}},
		{"Aiven: no secret", aivenClass, connector.Props{"http.url": "http://h", "http.authorization.type": "oauth2", "oauth2.access.token.url": "http://t", "oauth2.client.id": "c"}, []string{"oauth2.client.secret auth.type=oauth2 needs oauth2.client.secret"}},
		{"Confluent: the least", confluentClass, connector.Props{"http.api.url": "http://h"}, nil},
		{"Confluent: no password", confluentClass, connector.Props{"http.api.url": "http://h", "auth.type": "BASIC"}, []string{"connection.user auth.type=basic needs connection.user", "connection.password auth.type=basic needs connection.password"}},
		{"Confluent: a URL for one", confluentClass, connector.Props{"http.api.url": "http://h/${key}", "batch.max.size": "2"}, []string{"batch.max.size batch.max.size is 2, but a URL"}},
		{"Confluent: a header that is none", confluentClass, connector.Props{"http.api.url": "http://h", "headers": "X"}, []string{`headers Invalid value [X] for configuration headers: "X" is not a header`}},
		{"Confluent: what is not there", confluentClass, connector.Props{"http.api.url": "http://h", "regex.patterns": "a~b"}, []string{"regex.patterns Invalid value a~b for configuration regex.patterns: is not there: change values with a transform"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plugin, err := connector.Plugins.New(connector.SinkType, tt.class)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := connector.CheckPlugin(plugin, tt.props)
			var got []string
			for _, p := range problems.List() {
				got = append(got, p.Key+" "+p.Message)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tt.want[i]) {
					t.Errorf("got %s, want %s", got[i], tt.want[i])
				}
			}
		})
	}
}

// The document says of each name and key the default that the code has, what the key
// becomes, and why a default is another than the vendor's.
//
// Clauses: N15, N16.
func TestDocumentedDefaults(t *testing.T) {
	for heading, v := range map[string]*vendor{"Aiven's name": aiven, "Confluent's name": confluent} {
		t.Run(heading, func(t *testing.T) {
			got, becomes := map[string]string{}, map[string]string{}
			for _, row := range documented.Rows(t, "../../docs/rest.md", heading, 5) {
				key, here, theirs, ours, reason := row[0], row[1], row[2], row[3], row[4]
				if _, twice := got[key]; twice {
					t.Errorf("%s is there twice", key)
				}
				got[key], becomes[key] = here, ours
				if (theirs != "-" && theirs != here) != (reason != "") {
					t.Errorf("%s: here %q, theirs %q, the reason is %q", key, here, theirs, reason)
				}
			}
			if d := cmp.Diff(documented.Defaults((&vendorSink{vendor: v}).ConfigDef()), got); d != "" {
				t.Error(d)
			}
			for _, k := range v.keys {
				if k.ours != "" && becomes[k.Name] != k.ours {
					t.Errorf("%s becomes %s, and not %s", k.Name, k.ours, becomes[k.Name])
				}
			}
		})
	}
}

// A preview under a vendor's name is made with its keys, and sends nothing.
func TestVendorsPreview(t *testing.T) {
	for class, props := range map[string]connector.Props{
		aivenClass:     {"http.url": "http://127.0.0.1:1/a", "http.authorization.type": "none"},
		confluentClass: {"http.api.url": "http://127.0.0.1:1/a"},
	} {
		plugin, err := connector.Plugins.New(connector.SinkType, class)
		if err != nil {
			t.Fatal(err)
		}
		s, c := plugin.(*vendorSink), connectortest.Context(t)
		shown := 0
		c.Preview = &connector.Preview{Would: func(connector.Effect) { shown++ }}
		if err := s.Preview(t.Context(), c, connectortest.Configure(t, s, props), texts(2, 2)); err != nil || shown == 0 {
			t.Errorf("%s: %d requests are shown, %v", class, shown, err)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// A code that is to be repeated is repeated so often, and then the record's.
//
// Clauses: N10.
func TestRepeatedCodesEnd(t *testing.T) {
	service := newService(t, func(_ int, _ *http.Request, body string) int {
		if strings.Contains(body, "001") {
			return http.StatusUnprocessableEntity
		}
		return 0
	})
	reporter := new(connectortest.Reporter)
	s := start(t, reporter, "url", service.URL, "format", "raw", "batch.size", "2", "retry.on.status.codes", "400-", "max.retries", "2")
	batch := texts(2, 2)
	for attempt := range 2 {
		if err := s.Put(t.Context(), batch); connector.KindOf(err) != connector.KindRetriable {
			t.Fatalf("attempt %d: %v", attempt, err)
		}
	}
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if records, _ := reporter.Reported(); len(records) != 1 {
		t.Errorf("%d records are reported, want the one that is refused", len(records))
	}
}
