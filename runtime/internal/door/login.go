package door

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/jaas"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// The keys of logins, and what they name.
const (
	accessKey     = "access.file"
	extensionsKey = "rest.extension.classes"
	jaasFileKey   = "java.security.auth.login.config"
	extension     = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
	entry         = "KafkaConnect"
	module        = "PropertyFileLoginModule"
)

// login says who asks: by a name and password, a token, a session, or the word of
// another worker.
type login struct {
	users    *users // nil where nobody has to log in
	sessions *sessions
	vouched  Vouched // nil where there is no other worker
	// stranger is what one may do who does not log in.
	stranger rights.Role
}

// loginOf gives the login that a configuration asks for.
func loginOf(c connector.Config, log *slog.Logger) (*login, error) {
	l := &login{sessions: newSessions(), stranger: rights.Configure}
	var err error
	switch file := c.String(accessKey); {
	case file != "" && len(c.List(extensionsKey)) > 0:
		return nil, fmt.Errorf("%s and %s: both say who may log in: want one of them", accessKey, extensionsKey)
	case file != "":
		l.stranger = rights.None
		if l.users, err = openUsers(file, readAccess, log); err != nil {
			err = fmt.Errorf("%s: %w", accessKey, err)
		}
	case len(c.List(extensionsKey)) > 0:
		l.stranger = rights.None
		l.users, err = javaUsers(c, log)
	}
	return l, err
}

// javaUsers gives the users of Kafka Connect's own extension.
func javaUsers(c connector.Config, log *slog.Logger) (*users, error) {
	for _, class := range c.List(extensionsKey) {
		if class != extension && class != extension[strings.LastIndexByte(extension, '.')+1:] {
			return nil, fmt.Errorf("%s: %s is not there: %s is, for logins", extensionsKey, class, extension)
		}
	}
	name := c.String(jaasFileKey)
	if name == "" {
		return nil, fmt.Errorf("%s: it is missing: the file that says where the users are, whose entry %s has a %s", jaasFileKey, entry, module)
	}
	file, err := usersFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", jaasFileKey, err)
	}
	u, err := openUsers(file, readUsers, log)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: file: %w", jaasFileKey, name, err)
	}
	return u, nil
}

// usersFile gives the file of users that a JAAS file names.
func usersFile(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	entries, err := jaas.File(string(data))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	modules := entries[entry]
	if len(modules) != 1 || !modules[0].Is(module) {
		return "", fmt.Errorf("%s: want an entry %s with one login module, %s", name, entry, module)
	}
	file := modules[0].Options["file"]
	if file == "" {
		return "", fmt.Errorf(`%s: %s: the option file="..." is missing`, name, entry)
	}
	return file, nil
}

// who gives who makes a request. The login of one who is not known counts for nothing.
func (l *login) who(r *http.Request) rights.Who {
	if who, ok := l.sessions.of(r); ok {
		return who
	}
	if l.vouched != nil {
		if who, ok := l.vouched(r); ok {
			return who
		}
	}
	if l.users == nil {
		return rights.Who{Role: l.stranger}
	}
	if user, password, ok := r.BasicAuth(); ok {
		if who, ok := l.users.who(r.Context(), place(r.RemoteAddr), user, password); ok {
			return who
		}
	}
	if token := bearer(r); token != "" {
		if who, ok := l.users.bearer(token); ok {
			return who
		}
	}
	return rights.Who{Role: l.stranger}
}

// guard lets requests pass of those who may make them. local tells that they are all
// of this machine.
func (l *login) guard(next rights.Guarded, local bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		takes, who := next.Takes(r), l.who(r)
		who.Anyone = who.Name == "" && l.users == nil && !local
		switch {
		case who.Role >= takes: // also who takes none: what workers sign, and whether a worker is well
			next.ServeHTTP(w, r.WithContext(rights.With(r.Context(), who)))
		case who.Name != "":
			refuse(w, who, takes)
		default:
			if l.users != nil {
				w.Header().Set("WWW-Authenticate", `Basic realm="Kafka Connect", charset="UTF-8"`)
			}
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte("User cannot access the resource.")) // a client that is gone needs no answer
		}
	})
}

// refuse answers to one who is known and may not do this.
func refuse(w http.ResponseWriter, who rights.Who, takes rights.Role) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_ = json.NewEncoder(w).Encode(map[string]any{"error_code": http.StatusForbidden,
		"message": fmt.Sprintf("%s has the role %s, and this takes the role %s", who.Name, who.Role, takes)}) // a client that is gone needs no answer
}
