package door

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/certs"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// accessOf writes a file in which anna, ole and carl, and the token, have their roles.
func accessOf(t *testing.T) (file, token string) {
	t.Helper()
	token, lines, err := TokenEntry("grafana", rights.Operate)
	if err != nil {
		t.Fatal(err)
	}
	text := "users:\n"
	for name, role := range map[string]string{"anna": "view", "ole": "operate", "carl": "configure"} {
		text += fmt.Sprintf("  %s: {password: %q, role: %s}\n", name, hash(t, "of "+name), role)
	}
	return certs.File(t, "access.yaml", []byte(text+lines)), token
}

func TestRoles(t *testing.T) {
	file, token := accessOf(t)
	d := served(t, map[string]string{accessKey: file, adminKey: "http://127.0.0.1:0", pageKey: "http://127.0.0.1:0"})
	as := func(user string) string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, "of "+user)
		return r.Header.Get("Authorization")
	}
	for name, c := range map[string]struct {
		login string
		want  [4]int // of the roles none, view, operate, configure
	}{
		"nobody":       {"", [4]int{200, 401, 401, 401}},
		"viewer":       {as("anna"), [4]int{200, 200, 403, 403}},
		"operator":     {as("ole"), [4]int{200, 200, 200, 403}},
		"configurer":   {as("carl"), [4]int{200, 200, 200, 200}},
		"token":        {"Bearer " + token, [4]int{200, 200, 200, 403}},
		"another case": {"bearer  " + token, [4]int{200, 200, 200, 403}},
		"wrong token":  {"Bearer " + token + "x", [4]int{200, 401, 401, 401}},
		"token's hash": {"Bearer " + hashToken(token), [4]int{200, 401, 401, 401}},
		"no token":     {"Bearer ", [4]int{200, 401, 401, 401}},
		"another's":    {strings.Replace(as("anna"), "Basic", "Bearer", 1), [4]int{200, 401, 401, 401}},
		"token as user": {func() string {
			r := &http.Request{Header: http.Header{}}
			r.SetBasicAuth("grafana", token)
			return r.Header.Get("Authorization")
		}(), [4]int{200, 401, 401, 401}},
	} {
		t.Run(name, func(t *testing.T) {
			for role := rights.None; role <= rights.Configure; role++ {
				for _, url := range []string{d.APIURL(), d.admin[0].url(), d.PageURL()} {
					res, body, err := asked(t, nil, "POST", url+"/"+role.String(), "Authorization", c.login)
					if err != nil || res.StatusCode != c.want[role] {
						t.Fatalf("%s/%s: %v (%v), want %d", url, role, res, err, c.want[role])
					}
					if res.StatusCode == 403 && !strings.Contains(body, "has the role") {
						t.Errorf("%s", body)
					}
				}
			}
		})
	}
}

func TestWrongAccessFiles(t *testing.T) {
	sum := hashToken("a")
	for name, c := range map[string]struct{ text, want string }{
		"nobody":          {"", "there is neither a user nor a token"},
		"not YAML":        {"users: [\"hush", "want users: and tokens:"},
		"another key":     {"people: {a: {password: hush}}", "want users: and tokens:"},
		"plain":           {"users: {a: {password: hush, role: view}}", "user a: its password is not hashed"},
		"no role":         {"users: {a: {password: " + hash(t, "x") + "}}", `user a: role "" is not there: want view, operate or configure`},
		"unknown role":    {"tokens: {a: {sha256: " + sum + ", role: none}}", `token a: role "none" is not there`},
		"short token":     {"tokens: {a: {sha256: " + sum[1:] + ", role: view}}", "token a: its sha256 is not"},
		"password":        {"tokens: {a: {password: hush, sha256: " + sum + ", role: view}}", "token a: its sha256 is not"},
		"nothing":         {"tokens: {a: {sha256: " + hashToken("") + ", role: view}}", "token a: its sha256 is that of nothing"},
		"users twice":     {"users: {a: {}}\nusers: {b: {}}", "want users: and tokens: once each"},
		"hash for a user": {"users: {a: {sha256: " + sum + ", role: view}}", "user a: its password is not hashed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := made(t, map[string]string{accessKey: certs.File(t, "access.yaml", []byte(c.text))}, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	if _, err := made(t, map[string]string{accessKey: "x", extensionsKey: extension}, io.Discard); err == nil || !strings.Contains(err.Error(), "want one of them") {
		t.Errorf("both: %v", err)
	}
}

func TestAccessThatChanges(t *testing.T) {
	file, token := accessOf(t)
	d := served(t, map[string]string{accessKey: file})
	status := func() int {
		res, _, err := asked(t, nil, "GET", d.APIURL()+"/operate", "Authorization", "Bearer "+token)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	if got := status(); got != 200 {
		t.Fatal(got)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	i := strings.LastIndex(string(text), "operate")
	later := time.Now().Add(time.Second)
	if err := os.WriteFile(file, append(text[:i:i], "view\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	if got := status(); got != 403 {
		t.Errorf("the token has another role, and the answer is %d", got)
	}
}

// TestPass: who has none may look; a ticket is good for one browser, a token for all.
func TestPass(t *testing.T) {
	d, err := made(t, map[string]string{listenersKey: "http://127.0.0.1:0", pageKey: "http://127.0.0.1:0"}, io.Discard)
	if err == nil {
		err = d.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	pass := d.Pass()
	serve(t, d)
	may := func(url string, headers ...string) int {
		res, _, err := asked(t, nil, "POST", url+"/configure", headers...)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	if res, _, err := asked(t, nil, "GET", d.APIURL()); err != nil || res.StatusCode != 200 {
		t.Errorf("a look: %v (%v)", res, err)
	}
	if got := may(d.APIURL()); got != 401 {
		t.Errorf("a change: %d", got)
	}
	if got := may(d.APIURL(), "Authorization", "Bearer "+pass.Token); got != 200 {
		t.Errorf("with the token: %d", got)
	}
	enter := func() []*http.Cookie {
		r, err := http.NewRequestWithContext(t.Context(), "GET", pass.PageURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", res)
		}
		return res.Cookies()
	}
	cookies := enter()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("%v", cookies)
	}
	held := cookies[0].Name + "=" + cookies[0].Value
	if got := may(d.PageURL(), "Cookie", held); got != 200 {
		t.Errorf("with the session: %d", got)
	}
	if got := may(d.PageURL(), "Cookie", held, "Origin", "http://elsewhere.example", "Sec-Fetch-Site", "cross-site"); got != 403 {
		t.Errorf("another page, with the session: %d", got)
	}
	if got := may(d.PageURL(), "Cookie", held+"x"); got != 401 {
		t.Errorf("with another session: %d", got)
	}
	if again := enter(); len(again) != 0 {
		t.Error("the ticket is good twice")
	}
}

func TestSessionsEnd(t *testing.T) {
	s := newSessions()
	r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + s.add(rights.Who{Name: "a"}, time.Now().Add(-time.Second))}}}
	if _, ok := s.of(r); ok || len(s.open) != 0 {
		t.Error("a session goes on")
	}
}

// TestPageIsOffWhereAllReachIt: nobody logs in, and it listens on all interfaces.
func TestPageIsOffWhereAllReachIt(t *testing.T) {
	out := new(output)
	d, err := made(t, map[string]string{listenersKey: "http://0.0.0.0:0", pageKey: "http://0.0.0.0:0"}, out)
	if err == nil {
		err = d.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	serve(t, d)
	if res, body, err := asked(t, nil, "GET", d.PageURL()); err != nil || res.StatusCode != 403 || !strings.Contains(body, accessKey) {
		t.Errorf("%v %s (%v)", res, body, err)
	}
	if res, _, err := asked(t, nil, "DELETE", d.APIURL()+"/configure"); err != nil || res.StatusCode != 200 {
		t.Errorf("the API, as Java's: %v (%v)", res, err)
	}
	if _, body, err := asked(t, nil, "GET", d.APIURL()+"/who"); err != nil || body != "API to anyone" {
		t.Errorf("the API does not know that anyone asks: %s (%v)", body, err)
	}
	if _, body, err := asked(t, nil, "GET", served(t, nil).APIURL()+"/who"); err != nil || body != "API" {
		t.Errorf("the API takes this machine for anyone: %s (%v)", body, err)
	}
	for _, want := range []string{"REST API: whoever reaches it", "page: it is off"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said: %s", want, out)
		}
	}
	file, _ := accessOf(t)
	d = served(t, map[string]string{accessKey: file, pageKey: "http://0.0.0.0:0"})
	if res, _, err := asked(t, nil, "GET", d.PageURL()); err != nil || res.StatusCode != 401 {
		t.Errorf("with users: %v (%v)", res, err)
	}
}
