package client

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/files"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// Variables of the environment that say which worker is asked.
const (
	URLVariable      = "HYDRAULICS_URL"
	UsernameVariable = "HYDRAULICS_USERNAME"
	PasswordVariable = "HYDRAULICS_PASSWORD"
	TokenVariable    = "HYDRAULICS_TOKEN"
	ContextsVariable = "HYDRAULICS_CONTEXTS" // the file of contexts
)

// Target is which worker a command asks: of its flags, of the environment, or of
// the file of contexts, in this order.
type Target struct {
	URL     string
	Context string
	Timeout time.Duration
	Getenv  func(string) string // os.Getenv where it is nil
}

func (t Target) getenv(name string) string {
	if t.Getenv == nil {
		return os.Getenv(name)
	}
	return t.Getenv(name)
}

// Open makes the client.
func (t Target) Open() (*Client, error) {
	o, err := t.options()
	if err != nil {
		return nil, err
	}
	o.Timeout = t.Timeout
	return New(o)
}

// Given tells whether anybody said which worker is meant. Without that it is the one
// that listens where a worker usually does.
func (t Target) Given() bool {
	if t.URL != "" || t.Context != "" || t.getenv(URLVariable) != "" {
		return true
	}
	contexts, err := t.Contexts()
	return err != nil || contexts.Current != ""
}

// options say which worker is meant. A context's login is its own: that of the
// environment is not sent to its worker.
func (t Target) options() (Options, error) {
	if t.URL != "" && t.Context != "" {
		return Options{}, errors.New("--url and --context: give one of them")
	}
	url, name := t.URL, t.Context
	if url == "" && name == "" {
		url = t.getenv(URLVariable)
	}
	if url == "" {
		contexts, err := t.Contexts()
		if err != nil {
			return Options{}, err
		}
		if name = cmp.Or(name, contexts.Current); name != "" {
			return contexts.options(name)
		}
	}
	return Options{URLs: strings.Split(cmp.Or(url, DefaultURL), ","), Username: t.getenv(UsernameVariable),
		Password: t.getenv(PasswordVariable), Token: t.getenv(TokenVariable)}, nil
}

// Contexts are workers that have names.
type Contexts struct {
	File    string                       `yaml:"-"`
	Current string                       `yaml:"current"` // the one that is meant where none is named
	Of      map[string]map[string]string `yaml:"contexts"`
}

// Names gives the names, sorted.
func (c Contexts) Names() []string { return slices.Sorted(maps.Keys(c.Of)) }

// Contexts reads the file; one that is not there has none.
func (t Target) Contexts() (Contexts, error) {
	c := Contexts{File: t.getenv(ContextsVariable)}
	if c.File == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return c, nil // there is no such folder, and so no file
		}
		c.File = filepath.Join(dir, "hydraulics", "contexts.yaml")
	}
	file, err := os.Open(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("contexts: %w", err)
	}
	defer file.Close()
	dec := yaml.NewDecoder(file)
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) { // there is nothing in it
		return c, fmt.Errorf("contexts: %s: want current: NAME and contexts: NAME: {url: ..., username: ..., password: ...}", c.File) // yaml's words may repeat a password
	}
	return c, nil
}

// find gives the keys of a context.
func (c Contexts) find(name string) (map[string]string, error) {
	raw, there := c.Of[name]
	if !there {
		return nil, fmt.Errorf("context %s: %s does not have it, there are: %s", name, c.File, strings.Join(c.Names(), ", "))
	}
	return raw, nil
}

// Use makes a context the current one, in the file, whose comments stay.
func (c Contexts) Use(name string) error {
	if _, err := c.find(name); err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("contexts: %w", err) }
	data, err := os.ReadFile(c.File)
	if err != nil {
		return fail(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fail(err)
	}
	top, current := doc.Content[0], (*yaml.Node)(nil)
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value == "current" {
			current = top.Content[i+1]
		}
	}
	if current == nil {
		current = new(yaml.Node)
		key := new(yaml.Node)
		key.SetString("current")
		top.Content = append(top.Content, key, current)
	}
	current.SetString(name)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(&doc), enc.Close()); err != nil {
		return fail(err)
	}
	if err := files.Replace(c.File, b.Bytes(), 0o600); err != nil {
		return fail(err)
	}
	return nil
}

// options say how the worker of a context is asked.
func (c Contexts) options(name string) (Options, error) {
	raw, err := c.find(name)
	if err != nil {
		return Options{}, err
	}
	o, err := optionsOf(raw, filepath.Dir(c.File))
	if err != nil {
		return Options{}, fmt.Errorf("context %s of %s: %w", name, c.File, err)
	}
	return o, nil
}

// optionsOf reads the keys of a context, whose relative paths start from dir.
func optionsOf(raw map[string]string, dir string) (o Options, err error) {
	resolver, err := config.NewResolver(nil)
	if err != nil {
		return o, err
	}
	keys := connector.Props{}
	for k, v := range raw {
		keys[k] = v
	}
	if keys, err = resolver.Resolve(keys, config.Origin{Dir: dir}); err != nil {
		return o, err
	}
	secure := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		text, _ := keys.Text(k)
		switch {
		case k == "url":
			o.URLs = strings.Split(text, ",")
		case k == "username":
			o.Username = text
		case k == "password":
			o.Password = text
		case k == "token":
			o.Token = text
		case strings.HasPrefix(k, "ssl."):
			if strings.HasSuffix(k, ".location") && !filepath.IsAbs(text) {
				text = filepath.Join(dir, text)
			}
			secure[k] = text
		default:
			return o, fmt.Errorf("%s: unknown key, there are url, username, password, token and ssl.*", k)
		}
	}
	if len(o.URLs) == 0 {
		return o, errors.New("url is missing")
	}
	if len(secure) > 0 {
		o.TLS, err = ssl.Settings{Keys: secure}.Client()
	}
	return o, err
}
