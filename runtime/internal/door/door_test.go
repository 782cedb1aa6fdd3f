package door

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/certs"
	"github.com/axiom-data-science/hydraulics/internal/test/leak"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

func TestMain(m *testing.M) { leak.Main(m.Run) }

// output is a text that several goroutines write to.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// made makes the door of a worker's keys.
func made(t *testing.T, keys map[string]string, out io.Writer) (*Door, error) {
	t.Helper()
	props := connector.Props{}
	for k, v := range keys {
		props[k] = v
	}
	conf, err := config.WorkerDef().Parse(props)
	if err != nil {
		return nil, err
	}
	return New(conf, slog.New(slog.NewTextHandler(out, nil)))
}

// served opens the door of a worker's keys, behind which each handler says its name.
func served(t *testing.T, keys map[string]string) *Door {
	t.Helper()
	all := map[string]string{listenersKey: "http://127.0.0.1:0", pageKey: ""}
	maps.Copy(all, keys)
	d, err := made(t, all, io.Discard)
	if err == nil {
		err = d.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	serve(t, d)
	return d
}

// says is a handler that says its name. The role that a request takes is the path's
// first part, else view.
type says string

func (s says) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprint(w, string(s))
	if rights.Of(r.Context()).Anyone {
		_, _ = fmt.Fprint(w, " to anyone")
	}
}

func (s says) Takes(r *http.Request) rights.Role {
	first, _, _ := strings.Cut(r.URL.Path[1:], "/")
	if first == rights.None.String() {
		return rights.None
	}
	if role, err := rights.ParseRole(first); err == nil {
		return role
	}
	return rights.View
}

func serve(t *testing.T, d *Door) {
	t.Helper()
	d.Serve(Handlers{API: says("API"), Admin: says("admin"), Page: says("page")})
	t.Cleanup(func() {
		ctx, cancel := wait.Context()
		defer cancel()
		if err := d.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

// asked gives the answer to a request, with its body.
func asked(t *testing.T, conf *tls.Config, method, url string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// Clauses: K14.
func TestAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		keys map[string]string
		want addresses
	}{
		"nothing said": {nil, addresses{api: []address{{key: listenersKey, host: "127.0.0.1:8083", free: true}}, page: &address{key: pageKey, host: "127.0.0.1:6066", free: true}}},
		"several": {map[string]string{listenersKey: "http://:0, HTTPS://[::1]:9443,https://sea.example", pageKey: ""},
			addresses{api: []address{{key: listenersKey, host: ":0"}, {key: listenersKey, host: "[::1]:9443", secure: true}, {key: listenersKey, host: "sea.example:8443", secure: true}}}},
		"the older form": {map[string]string{"rest.port": "9", pageKey: "https://127.0.0.1"},
			addresses{api: []address{{key: listenersKey, host: "127.0.0.1:9"}}, page: &address{key: pageKey, host: "127.0.0.1:6067", secure: true}}},
		"the older form's host":   {map[string]string{"rest.host.name": "h", pageKey: ""}, addresses{api: []address{{key: listenersKey, host: "h:8083"}}}},
		"no admin endpoints":      {map[string]string{"rest.port": "9", adminKey: "", pageKey: ""}, addresses{api: []address{{key: listenersKey, host: "127.0.0.1:9"}}, apart: true}},
		"admin endpoints by them": {map[string]string{"rest.port": "9", adminKey: "http://h:7", pageKey: ""}, addresses{api: []address{{key: listenersKey, host: "127.0.0.1:9"}}, admin: []address{{key: adminKey, host: "h:7"}}, apart: true}},
	} {
		t.Run(name, func(t *testing.T) {
			props := connector.Props{}
			for k, v := range c.keys {
				props[k] = v
			}
			conf, err := config.WorkerDef().Parse(props)
			if err != nil {
				t.Fatal(err)
			}
			got, err := addressesOf(conf)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(addresses{}, address{})); d != "" {
				t.Error(d)
			}
		})
	}
}

// Clauses: K14.
func TestWrongKeys(t *testing.T) {
	file := func(text string) string { return certs.File(t, "file", []byte(text)) }
	jaasOf := func(users string) string {
		return file("KafkaConnect { PropertyFileLoginModule required file='" + users + "'; };")
	}
	for name, c := range map[string]struct {
		keys map[string]string
		want string
	}{
		"no address":         {map[string]string{listenersKey: "localhost:8083"}, "listeners: localhost:8083 is not of the form http://host:port"},
		"another scheme":     {map[string]string{listenersKey: "ftp://h:1"}, "listeners: ftp://h:1: want http or https, not ftp"},
		"an empty list":      {map[string]string{listenersKey: ""}, "listeners: it is empty"},
		"no admin port":      {map[string]string{adminKey: "http://h"}, "admin.listeners: http://h has no port"},
		"no certificate":     {map[string]string{listenersKey: "https://:1"}, "ssl.keystore.location: it is missing: a listener with TLS needs a certificate and its key"},
		"a prefix, no store": {map[string]string{listenersKey: "https://:1", "listeners.https.ssl.client.auth": "none", "ssl.keystore.location": "unread"}, "listeners.https.ssl.keystore.location: it is missing"},
		"admin certificate":  {map[string]string{adminKey: "https://:1", "admin.listeners.https.ssl.keystore.location": "none.jks"}, "admin.listeners.https.ssl.keystore.location: open none.jks"},
		"headers":            {map[string]string{headersKey: "put X: y"}, `response.http.headers.config: "put X: y": want set, add, setDate or addDate, not put`},
		"a header's form":    {map[string]string{headersKey: "set X y"}, `response.http.headers.config: "set X y" is not of the form [set|add|setDate|addDate] NAME: VALUE`},
		"a header's name":    {map[string]string{headersKey: "set X y: z"}, "is not of the form"},
		"a header's date":    {map[string]string{headersKey: "setDate Expires: soon"}, "want milliseconds from now"},
		"an extension":       {map[string]string{extensionsKey: "com.example.Extension"}, "rest.extension.classes: com.example.Extension is not there: org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension is"},
		"no file of logins":  {map[string]string{extensionsKey: extension}, "java.security.auth.login.config: it is missing"},
		"no such file":       {map[string]string{extensionsKey: extension, jaasFileKey: "none.jaas"}, "java.security.auth.login.config: open none.jaas"},
		"another entry":      {map[string]string{extensionsKey: extension, jaasFileKey: file("KafkaClient { M required; };")}, "want an entry KafkaConnect with one login module, PropertyFileLoginModule"},
		"another module":     {map[string]string{extensionsKey: extension, jaasFileKey: file("KafkaConnect { LdapLoginModule required; };")}, "want an entry KafkaConnect"},
		"no users' file":     {map[string]string{extensionsKey: extension, jaasFileKey: file("KafkaConnect { PropertyFileLoginModule required; };")}, `the option file="..." is missing`},
		"not a JAAS file":    {map[string]string{extensionsKey: extension, jaasFileKey: file("alice=hush")}, "line 1: want { behind alice"},
		"no such users":      {map[string]string{extensionsKey: extension, jaasFileKey: jaasOf("/none/users")}, "open /none/users"},
		"no users":           {map[string]string{extensionsKey: extension, jaasFileKey: jaasOf(file("# nobody"))}, "there is no user in it: want lines NAME=PASSWORD"},
		"no password":        {map[string]string{extensionsKey: extension, jaasFileKey: jaasOf(file("# the first\nalice=\n"))}, ":2: the user has no password"},
		"half a hash":        {map[string]string{extensionsKey: extension, jaasFileKey: jaasOf(file("alice=$2a$hush"))}, ":1: the password begins as one that bcrypt has hashed"},
		"all at once":        {map[string]string{extensionsKey: "X", headersKey: "y", listenersKey: ""}, "\nresponse.http.headers.config: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := made(t, c.keys, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// Clauses: K14.
func TestWhatIsServedWhere(t *testing.T) {
	authority := certs.Authority(t)
	store := func(prefix, form string) map[string]string {
		keys := map[string]string{prefix + "ssl.keystore.type": form,
			prefix + "ssl.keystore.location": certs.File(t, "key", authority.Issue(t, prefix, "127.0.0.1").KeyStore(t, form, "opensesame"))}
		if form != "PEM" {
			keys[prefix+"ssl.keystore.password"] = "opensesame"
		}
		return keys
	}
	for name, c := range map[string]struct {
		keys                   map[string]string
		api, admin, page, told string // schemes
	}{
		"http alone":             {nil, "http", "", "", "http"},
		"both, and http is told": {store("listeners.https.", "PKCS12"), "https http", "", "http", "http"},
		"https is told":          {map[string]string{"rest.advertised.listener": "HTTPS"}, "http https", "", "", "https"},
		"https is all there is":  {store("", "JKS"), "https", "", "https", "https"},
		"admin by itself":        {store("admin.listeners.https.", "PEM"), "http", "https http", "", "http"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := store("", "PEM")
			maps.Copy(keys, c.keys)
			list := func(schemes string) string {
				return strings.Join(strings.Fields(strings.NewReplacer("https", "https://127.0.0.1:0", "http", "http://127.0.0.1:0").Replace(strings.ReplaceAll(schemes, " ", ", "))), "")
			}
			keys[listenersKey], keys[pageKey] = list(c.api), list(c.page)
			if c.admin != "" {
				keys[adminKey] = list(c.admin)
			}
			d := served(t, keys)
			check := func(l *listener, scheme, want string) {
				t.Helper()
				_, got, err := asked(t, &tls.Config{RootCAs: authority.Pool()}, "GET", l.url())
				if err != nil || got != want || l.scheme() != scheme {
					t.Errorf("%s answers %q (%v), want %s over %s", l.url(), got, err, want, scheme)
				}
			}
			for i, scheme := range strings.Fields(c.api) {
				check(d.api[i], scheme, "API")
			}
			for i, scheme := range strings.Fields(c.admin) {
				check(d.admin[i], scheme, "admin")
			}
			if c.page != "" {
				check(d.page, c.page, "page")
			}
			if d.AdminApart() != (c.admin != "") || !strings.HasPrefix(d.APIURL(), c.told+"://") || !strings.HasSuffix(d.APIURL(), d.Advertised()) || (d.PageURL() == "") != (c.page == "") {
				t.Errorf("%v, %s, %s, %q", d.AdminApart(), d.APIURL(), d.Advertised(), d.PageURL())
			}
		})
	}
}

// Clauses: K14.
func TestAdvertised(t *testing.T) {
	d := served(t, map[string]string{"rest.advertised.host.name": "sea.example", "rest.advertised.port": "443"})
	if d.Advertised() != "sea.example:443" {
		t.Errorf("it is %s", d.Advertised())
	}
}

// Clauses: K14.
func TestClientCertificates(t *testing.T) {
	authority := certs.Authority(t)
	const prefix = "listeners.https."
	keys := map[string]string{listenersKey: "https://127.0.0.1:0", prefix + "ssl.client.auth": "required",
		prefix + "ssl.keystore.type": "PEM", prefix + "ssl.keystore.location": certs.File(t, "key", authority.Issue(t, "server", "127.0.0.1").KeyStore(t, "PEM", "")),
		prefix + "ssl.truststore.type": "PEM", prefix + "ssl.truststore.certificates": authority.PEM()}
	own, other := authority.Issue(t, "client"), certs.Authority(t).Issue(t, "stranger")
	for auth, want := range map[string]struct{ without, wrong bool }{"none": {true, true}, "requested": {true, false}, "required": {false, false}} {
		t.Run(auth, func(t *testing.T) {
			keys[prefix+"ssl.client.auth"] = auth
			d := served(t, keys)
			for name, c := range map[string]struct {
				shown []tls.Certificate
				pass  bool
			}{"without": {nil, want.without}, "right": {[]tls.Certificate{own.TLS()}, true}, "wrong": {[]tls.Certificate{other.TLS()}, want.wrong}} {
				shown := c.shown
				_, _, err := asked(t, &tls.Config{RootCAs: authority.Pool(), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if len(shown) == 0 {
						return new(tls.Certificate), nil
					}
					return &shown[0], nil // whoever the server trusts
				}}, "GET", d.APIURL())
				if (err == nil) != c.pass {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// A certificate that is replaced is served from the next connection on.
//
// Clauses: K14.
func TestReplacedCertificate(t *testing.T) {
	first, second := certs.Authority(t), certs.Authority(t)
	name := certs.File(t, "key", first.Issue(t, "server", "127.0.0.1").KeyStore(t, "PKCS12", "opensesame"))
	d := served(t, map[string]string{listenersKey: "https://127.0.0.1:0", "listeners.https.ssl.keystore.location": name, "listeners.https.ssl.keystore.password": "opensesame"})
	if _, _, err := asked(t, &tls.Config{RootCAs: first.Pool()}, "GET", d.APIURL()); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second)
	if err := errors.Join(os.WriteFile(name, second.Issue(t, "server", "127.0.0.1").KeyStore(t, "PKCS12", "opensesame"), 0o600), os.Chtimes(name, later, later)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := asked(t, &tls.Config{RootCAs: second.Pool()}, "GET", d.APIURL()); err != nil {
		t.Error(err)
	}
}

// Clauses: K14.
func TestHeaders(t *testing.T) {
	d := served(t, map[string]string{headersKey: ` "add Cache-Control: no-cache, no-store",ADD X-A: 1;mode=block, add X-A: 2, set X-B: 1, set X-B: a\"b:c, setDate Expires: 60000, addDate X-D: -1000 `})
	res, _, err := asked(t, nil, "GET", d.APIURL())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"Cache-Control": {"no-cache, no-store"}, "X-A": {"1;mode=block", "2"}, "X-B": {`a\"b:c`}} {
		if d := cmp.Diff(want, res.Header.Values(name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	date, err := http.ParseTime(res.Header.Get("Expires"))
	if left := time.Until(date); err != nil || left <= 0 || left > time.Minute {
		t.Errorf("%v from now (%v)", left, err)
	}
	if date, err := http.ParseTime(res.Header.Get("X-D")); err != nil || !date.Before(time.Now()) {
		t.Errorf("%v (%v)", date, err)
	}
}

// Clauses: K14.
func TestPagesFromElsewhere(t *testing.T) {
	const allow, methods, headers = "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
	console := map[string]string{originKey: "https://console.example, https://*.sea.example"}
	all := map[string]string{originKey: "*", methodsKey: "GET,put"}
	cross := func(origin string, more ...string) []string {
		return append([]string{"Origin", origin, "Sec-Fetch-Site", "cross-site"}, more...)
	}
	preflight := func(origin, method string) []string {
		return cross(origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "authorization,content-type")
	}
	for name, c := range map[string]struct {
		keys    map[string]string
		method  string
		headers []string
		status  int
		want    map[string]string
	}{
		"none allowed":            {nil, "POST", cross("https://console.example"), 403, map[string]string{allow: ""}},
		"reading without leave":   {nil, "GET", cross("https://console.example"), 200, map[string]string{allow: ""}},
		"no browser":              {nil, "POST", nil, 200, nil},
		"preflight without leave": {nil, "OPTIONS", preflight("https://console.example", "POST"), 200, map[string]string{allow: ""}},
		"allowed":                 {console, "POST", cross("https://console.example"), 200, map[string]string{allow: "https://console.example", "Vary": "Origin"}},
		"allowed by a pattern":    {console, "GET", cross("https://a.sea.example"), 200, map[string]string{allow: "https://a.sea.example"}},
		"another":                 {console, "POST", cross("https://elsewhere.example"), 403, map[string]string{allow: ""}},
		"another method":          {console, "DELETE", cross("https://console.example"), 403, map[string]string{allow: ""}},
		"preflight":               {console, "OPTIONS", preflight("https://console.example", "POST"), 200, map[string]string{allow: "https://console.example", methods: "POST", headers: "authorization,content-type"}},
		"preflight of a method":   {console, "OPTIONS", preflight("https://console.example", "DELETE"), 200, map[string]string{allow: "", methods: ""}},
		"all, with a method":      {all, "PUT", cross("https://elsewhere.example"), 200, map[string]string{allow: "*"}},
		"all, another method":     {all, "POST", cross("https://elsewhere.example"), 403, nil},
	} {
		t.Run(name, func(t *testing.T) {
			res, _, err := asked(t, nil, c.method, served(t, c.keys).APIURL()+"/connectors", c.headers...)
			if err != nil || res.StatusCode != c.status {
				t.Fatalf("%v (%v)", res, err)
			}
			for name, want := range c.want {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// A preflight has no login: it passes before it.
//
// Clauses: K14.
func TestPreflightBeforeLogin(t *testing.T) {
	users := certs.File(t, "users", []byte("alice=right"))
	keys := map[string]string{originKey: "https://console.example", extensionsKey: extension,
		jaasFileKey: certs.File(t, "jaas", []byte(`KafkaConnect { `+module+` required file="`+users+`"; };`))}
	d := served(t, keys)
	res, _, err := asked(t, nil, "OPTIONS", d.APIURL(), "Origin", "https://console.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Access-Control-Allow-Headers") != "authorization" {
		t.Errorf("%v (%v)", res, err)
	}
	if res, _, err = asked(t, nil, "GET", d.APIURL(), "Origin", "https://console.example"); err != nil || res.StatusCode != http.StatusUnauthorized || res.Header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%v (%v)", res, err)
	}
}

// Clauses: K14.
func TestBusyPort(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	out := new(output)
	log := slog.New(slog.NewTextHandler(out, nil))
	l, err := listen(log, "REST API", address{key: listenersKey, host: busy.Addr().String(), free: true})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), l.Addr().String()+" is used instead") {
		t.Errorf("it does not say which port it took: %s", out)
	}
	if err := l.close(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := listen(log, "REST API", address{key: listenersKey, host: busy.Addr().String()}); err == nil || !strings.Contains(err.Error(), "choose another listeners") {
		t.Errorf("a busy port that was asked for: %v", err)
	}
	d, err := made(t, map[string]string{listenersKey: "http://127.0.0.1:0,http://" + busy.Addr().String()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Open(); err == nil {
		t.Error("it opens with one listener of two")
	}
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := (*Door)(nil).Close(t.Context()); err != nil {
		t.Error(err)
	}
}
