package door

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/axiom-data-science/hydraulics/internal/test/certs"
)

// hash gives a password as bcrypt hashes it, in little time.
func hash(t *testing.T, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

// Clauses: K14.
func TestLogin(t *testing.T) {
	users := certs.File(t, "users", []byte("# who\nalice=right\nb\\:ob: "+hash(t, "ri ght")+"\n"))
	d := served(t, map[string]string{extensionsKey: "BasicAuthSecurityRestExtension", adminKey: "http://127.0.0.1:0", pageKey: "http://127.0.0.1:0",
		jaasFileKey: certs.File(t, "jaas", []byte("KafkaConnect {\n org.apache.kafka.connect.rest.basic.auth.extension."+module+" required file=\""+users+"\";\n};"))})
	for name, c := range map[string]struct {
		method, path, user, password string
		status                       int
	}{
		"right":                   {"GET", "/connectors", "alice", "right", 200},
		"hashed":                  {"GET", "/connectors", "b:ob", "ri ght", 401}, // basic authentication has no colon in names
		"wrong":                   {"GET", "/connectors", "alice", "wrong", 401},
		"another's":               {"GET", "/connectors", "alice", "ri ght", 401},
		"a stranger":              {"GET", "/connectors", "carol", "password", 401},
		"a stranger without":      {"GET", "/connectors", "carol", "", 401},
		"nobody":                  {"GET", "/", "", "", 401},
		"the hash":                {"GET", "/", "alice", "$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5iMIL.f2gNzHiyxEPLQqRUMNqyF4e", 401},
		"nobody, what all may do": {"GET", "/none", "", "", 200},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, d.APIURL()+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.user != "" {
				r.SetBasicAuth(c.user, c.password)
			}
			res, body, err := asked(t, nil, c.method, d.APIURL()+c.path, "Authorization", r.Header.Get("Authorization"))
			if err != nil || res.StatusCode != c.status {
				t.Fatalf("%v (%v), want %d", res, err, c.status)
			}
			if c.status == 401 && (body != "User cannot access the resource." || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Basic ")) {
				t.Errorf("%q, %v", body, res.Header)
			}
		})
	}
	for _, url := range []string{d.PageURL(), d.admin[0].url()} {
		if res, _, err := asked(t, nil, "GET", url); err != nil || res.StatusCode != 401 {
			t.Errorf("%s answers %v (%v)", url, res, err)
		}
	}
}

// Clauses: K14.
func TestHashedPasswords(t *testing.T) {
	u, err := openUsers(certs.File(t, "users", []byte("alice="+hash(t, "right")+"\nbob="+strings.Replace(hash(t, "right"), "$2a$", "$2y$", 1))), readUsers, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	known := func(user, password string) bool {
		_, ok := u.who(t.Context(), place("10.0.0.1:1"), user, password)
		return ok
	}
	for range 2 { // the second time from memory
		for _, user := range []string{"alice", "bob"} {
			if !known(user, "right") || known(user, "wrong") || known(user, "") || known("carol", "right") || known("carol", "password") {
				t.Error(user)
			}
		}
	}
}

// Clauses: K14.
func TestUsersThatChange(t *testing.T) {
	out := new(output)
	name := certs.File(t, "users", []byte("alice=right\n"))
	u, err := openUsers(name, readUsers, slog.New(slog.NewTextHandler(out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	known := func(user, password string) bool {
		_, ok := u.who(t.Context(), place("10.0.0.1:1"), user, password)
		return ok
	}
	later := time.Now()
	change := func(text string) {
		later = later.Add(time.Second)
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, later, later)); err != nil {
			t.Fatal(err)
		}
	}
	if !known("alice", "right") {
		t.Error("alice is not known")
	}
	change("")
	if !known("alice", "right") || !strings.Contains(out.String(), "those of before go on") {
		t.Errorf("alice is not known while the file is empty: %s", out)
	}
	change("alice=new\nbob=right\n")
	if known("alice", "right") || !known("alice", "new") || !known("bob", "right") {
		t.Error("the file is not read again")
	}
	if strings.Contains(out.String(), "right") || strings.Contains(out.String(), "alice") {
		t.Errorf("it says %s", out)
	}
}
