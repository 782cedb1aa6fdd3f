package door

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/jaas"
)

// The keys of logins, and what they name.
const (
	extensionsKey = "rest.extension.classes"
	jaasFileKey   = "java.security.auth.login.config"
	extension     = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
	entry         = "KafkaConnect"
	module        = "PropertyFileLoginModule"
)

// login lets those in who are among the users, by basic authentication.
type login struct{ users *users }

// loginOf gives the login that a configuration asks for, nil where it asks for none.
func loginOf(c connector.Config, log *slog.Logger) (*login, error) {
	classes := c.List(extensionsKey)
	if len(classes) == 0 {
		return nil, nil
	}
	for _, class := range classes {
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
	u, err := openUsers(file, log)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: file: %w", jaasFileKey, name, err)
	}
	return &login{u}, nil
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

// guard lets requests of users pass.
func (l *login) guard(next http.Handler) http.Handler {
	if l == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); internal(r) || ok && l.users.known(user, password) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="Kafka Connect", charset="UTF-8"`)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("User cannot access the resource.")) // a client that is gone needs no answer
	})
}

// internal tells whether a request is one of those that workers send each other,
// which they sign in their own way: POST /connectors/NAME/tasks and PUT
// /connectors/NAME/fence.
func internal(r *http.Request) bool {
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if len(parts) != 3 || parts[0] != "connectors" || parts[1] == "" {
		return false
	}
	return slices.Contains([]string{"POST tasks", "PUT fence"}, r.Method+" "+parts[2])
}
