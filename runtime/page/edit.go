package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/files"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// edited is a connector's configuration on its way to the page and back.
type edited struct {
	Text     string            `json:"text"`
	Config   map[string]string `json:"config"`
	Problems []config.Problem  `json:"problems"`
	// File is where it comes from, Line its first one there, and Version of what the
	// file says; empty of one made over the REST API.
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Version string `json:"version,omitempty"`
	// Refused says why the file is not written from here, and the remedy.
	Refused string `json:"refused,omitempty"`
}

// edit answers with a connector as text, secrets hidden, as its file has it where it
// comes from one.
func (p *Page) edit(r *http.Request) (any, error) {
	name := r.PathValue("connector")
	i, err := p.o.Herder.Info(name)
	if err != nil {
		return nil, err
	}
	e := edited{File: i.File}
	text := config.YAML(i.Config)
	if i.File != "" {
		s, version, err := section(i.File, name)
		switch {
		case errors.Is(err, os.ErrNotExist):
			e.Refused = i.File + " is not there to be written: download this, and give it to the worker in a file"
		case err != nil:
			e.Refused = err.Error() + ": change the file by hand"
		default:
			text, e.Line, e.Version = s.Text, s.Line, version
		}
		if e.Refused == "" && !p.o.Write {
			e.Refused = "the worker does not write its files: put this into " + i.File + ", or set config.write: true in the worker's configuration"
		}
	}
	if text, err = p.hide(text); err != nil {
		return nil, failed(http.StatusConflict, "%s: a secret in it cannot be hidden: change the file by hand", name)
	}
	return p.read(e, text), nil
}

// section finds a connector in its file, with the version of the file.
func section(file, name string) (*config.Section, string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, "", err
	}
	s, err := config.FindSection(file, data, name)
	return s, versionOf(data), err
}

func versionOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// read fills in what a text says.
func (p *Page) read(e edited, text config.Text) edited {
	list, problems := text.Read()
	e.Text, e.Config, e.Problems = text.Data, map[string]string{}, append([]config.Problem{}, problems...)
	for _, x := range list {
		if !x.Null {
			e.Config[x.Key] = x.Text
		}
	}
	return e
}

// hide gives a text with its secrets hidden.
func (p *Page) hide(text config.Text) (config.Text, error) {
	list, _ := text.Read()
	secrets := p.o.Herder.Validator().Secrets(list.Props())
	var err error
	hidden := func(x config.Entry) bool { return secrets.Show(x.Key, x.Text) != x.Text }
	for _, x := range list {
		if shown := secrets.Show(x.Key, x.Text); hidden(x) && err == nil {
			text, err = text.Set(x.Key, &shown)
		}
	}
	for _, x := range list { // a comment, or a mapping that is merged in, may have it too
		if hidden(x) && len(x.Text) >= config.ShortestHidden && strings.Contains(text.Data, x.Text) {
			return text, errors.New("it stands in a second place")
		}
	}
	return text, err
}

// textOrder is a text, and what is to become of it.
type textOrder struct {
	JSON   bool               `json:"json"`   // it is JSON, not YAML
	Text   string             `json:"text"`   //
	Config map[string]string  `json:"config"` // written as text, in the place of the text
	Set    map[string]*string `json:"set"`    // keys, null to take one out
}

// text answers with what a text says, after some keys were set in it: so the form and
// the text are kept in step.
func (p *Page) text(r *http.Request) (any, error) {
	var order textOrder
	if err := body(r, &order); err != nil {
		return nil, err
	}
	text := config.Text{JSON: order.JSON, Data: order.Text}
	if order.Config != nil {
		text = config.YAML(props(order.Config))
		if order.JSON {
			data, err := json.MarshalIndent(order.Config, "", "  ")
			if err != nil {
				return nil, err
			}
			text = config.Text{JSON: true, Data: string(data) + "\n"}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(order.Set)) {
		var err error
		if text, err = text.Set(key, order.Set[key]); err != nil {
			return nil, failed(http.StatusConflict, "%w", err)
		}
	}
	return p.read(edited{}, text), nil
}

func props(texts map[string]string) connector.Props {
	p := connector.Props{}
	for k, v := range texts {
		p[k] = v
	}
	return p
}

// running gives what runs under a name, nil where nothing does.
func (p *Page) running(name string) (connector.Props, config.Origin) {
	i, err := p.o.Herder.Info(name)
	if err != nil {
		return nil, config.Origin{Remote: true}
	}
	return i.Config, i.Origin()
}

// restore puts secrets back that were only shown hidden. What hides one in another way
// than it was shown is refused: the secret would be lost.
func (p *Page) restore(now, was connector.Props) (connector.Props, error) {
	secrets := p.o.Herder.Validator().Secrets(was)
	out := now.Clone()
	for k := range now {
		text, _ := now.Text(k)
		if !strings.Contains(text, config.Hidden) {
			continue
		}
		old, there := was.Text(k)
		if !there || secrets.Show(k, old) != text {
			return nil, failed(http.StatusBadRequest, "%s: %s stands for the secret that was there: write it anew, or take the value as it was", k, config.Hidden)
		}
		out[k] = old
	}
	return out, nil
}

// trusted gives where an edited configuration counts as coming from: its file where it
// refers to nothing that the file does not, or where the page may write the file.
func (p *Page) trusted(now, was connector.Props, from config.Origin) config.Origin {
	for k := range now {
		if text, _ := now.Text(k); strings.Contains(text, "${") && now[k] != was[k] && !p.o.Write {
			from.Remote = true
		}
	}
	return from
}

// leads tells whether a change may lead a login of the connector elsewhere: what is
// not known to be harmless may be an address.
func (p *Page) leads(now, was connector.Props) bool {
	secrets := p.o.Herder.Validator().Secrets(was)
	holds := map[string]bool{} // a secret, by the part of the configuration
	part := func(key string) string {
		for _, prefix := range []string{"transforms", "predicates", "topics", "errors.", "tasks.max", "name"} {
			if strings.HasPrefix(key, prefix) {
				return prefix
			}
		}
		return ""
	}
	for k := range was {
		if text, _ := was.Text(k); secrets.Show(k, text) != text || strings.Contains(text, "${") {
			holds[part(k)] = true
		}
	}
	all := maps.Clone(now)
	maps.Copy(all, was)
	for k := range all {
		a, _ := was.Text(k)
		b, _ := now.Text(k)
		if in := part(k); a != b && (in == "" && len(holds) > 0 || holds[in]) {
			return true
		}
	}
	return false
}

// configured is a configuration that is sent to the page.
type configured struct {
	Name   string            `json:"name"`
	Config map[string]string `json:"config"`
}

// complete gives the configuration with its secrets, and where it comes from. The
// secrets of a file that the page may not write go where the file says and nowhere else.
func (p *Page) complete(c configured) (connector.Props, config.Origin, error) {
	was, from := p.running(c.Name)
	now, err := p.restore(props(c.Config), was)
	if err != nil {
		return nil, from, err
	}
	now["name"] = c.Name
	if !from.Remote && !p.o.Write && p.leads(now, was) {
		return nil, from, failed(http.StatusForbidden, "%s: the secrets of its file are not used with other settings: set config.write: true in the worker's configuration, or use hydraulics preview with a copy of the file", c.Name)
	}
	return now, p.trusted(now, was, from), nil
}

// difference is a key that would be another.
type difference struct {
	Key    string  `json:"key"`
	Before *string `json:"before"`
	After  *string `json:"after"`
	Secret bool    `json:"secret"` // both are hidden, and differ
}

// diff answers with what differs from what runs, secrets hidden.
func (p *Page) diff(r *http.Request) (any, error) {
	var c configured
	if err := body(r, &c); err != nil {
		return nil, err
	}
	was, _ := p.running(c.Name)
	now, err := p.restore(props(c.Config), was)
	if err != nil {
		return nil, err
	}
	list := []difference{}
	show := func(of connector.Props, key string) *string {
		text, there := of.Text(key)
		if !there {
			return nil
		}
		shown := p.o.Herder.Validator().Secrets(of).Show(key, text)
		return &shown
	}
	keys := maps.Clone(now)
	maps.Copy(keys, was)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		a, _ := was.Text(k)
		b, _ := now.Text(k)
		d := difference{Key: k, Before: show(was, k), After: show(now, k)}
		if a == b && (d.Before == nil) == (d.After == nil) || k == "name" {
			continue
		}
		d.Secret = d.Before != nil && d.After != nil && *d.Before == *d.After
		list = append(list, d)
	}
	return list, nil
}

// validate has the REST API check a configuration, from where it counts as coming from.
func (p *Page) validate(w http.ResponseWriter, r *http.Request) { p.restored(w, r, "") }

// put has the REST API make or change a connector.
func (p *Page) put(w http.ResponseWriter, r *http.Request) {
	p.restored(w, r, r.PathValue("connector"))
}

// restored passes a configuration on to the REST API, with its secrets.
func (p *Page) restored(w http.ResponseWriter, r *http.Request, name string) {
	to, err := p.withSecrets(r, name)
	if err != nil {
		p.fail(w, err)
		return
	}
	http.StripPrefix(api, p.o.API).ServeHTTP(w, to)
}

// withSecrets gives a request with a configuration in which no secret is hidden.
func (p *Page) withSecrets(r *http.Request, name string) (*http.Request, error) {
	var texts map[string]*string
	if err := body(r, &texts); err != nil {
		return nil, err
	}
	now := connector.Props{}
	for k, v := range texts {
		if now[k] = nil; v != nil {
			now[k] = *v
		}
	}
	given, _ := now.Text("name")
	was, from := p.running(cmp.Or(name, given))
	now, err := p.restore(now, was)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(now)
	if err != nil {
		return nil, err
	}
	to := r.Clone(config.WithOrigin(r.Context(), p.trusted(now, was, from)))
	to.Body, to.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return to, nil
}

// fileOrder is a text for a connector's file.
type fileOrder struct {
	Text    string `json:"text"`
	Version string `json:"version"` // of the file that it was made from
}

// write puts a connector's text into its file, in which all else stays as it is, and
// has the worker read its files anew.
func (p *Page) write(r *http.Request) (any, error) {
	var order fileOrder
	if err := body(r, &order); err != nil {
		return nil, err
	}
	name := r.PathValue("connector")
	i, err := p.o.Herder.Info(name)
	switch {
	case err != nil:
		return nil, err
	case i.File == "":
		return nil, failed(http.StatusConflict, "%s: no file has it: it is changed over the REST API", name)
	case !p.o.Write:
		return nil, failed(http.StatusForbidden, "%s: the worker does not write its files: change %s by hand, or set config.write: true in the worker's configuration", name, i.File)
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	s, version, err := section(i.File, name)
	if err != nil {
		return nil, failed(http.StatusConflict, "%w: change the file by hand", err)
	}
	if version != order.Version {
		return nil, failed(http.StatusConflict, "%s: the file has changed since it was shown: load it again", i.File)
	}
	text, err := p.unhide(config.Text{Data: order.Text}, s.Text)
	if err != nil {
		return nil, err
	}
	data, err := s.With(text)
	if err != nil {
		return nil, failed(http.StatusBadRequest, "%w", err)
	}
	list, _ := text.Read()
	now := list.Props()
	now["name"] = name
	report, err := p.o.Herder.Validator().Validate(now, i.Origin())
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return nil, failed(http.StatusBadRequest, "%s: %w", name, err)
	}
	file, err := filepath.EvalSymlinks(i.File) // a link stays one
	if err != nil {
		return nil, failed(http.StatusConflict, "%w", err)
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if err := files.Replace(file, data, mode); err != nil {
		return nil, failed(http.StatusConflict, "%s: it cannot be written: %w", i.File, err)
	}
	p.o.Log.Info("the page has written a connector's file", "connector", name, "file", i.File)
	p.o.Reload()
	return edited{File: i.File, Line: s.Line, Version: versionOf(data)}, nil
}

// unhide gives a text with the secrets that the old one has.
func (p *Page) unhide(text, old config.Text) (config.Text, error) {
	list, problems := text.Read()
	if len(problems) > 0 {
		return text, failed(http.StatusBadRequest, "%w", problems[0])
	}
	was, _ := old.Read()
	now := list.Props()
	restored, err := p.restore(now, was.Props())
	if err != nil {
		return text, err
	}
	for _, k := range slices.Sorted(maps.Keys(restored)) {
		if value, _ := restored.Text(k); restored[k] != now[k] {
			if text, err = text.Set(k, &value); err != nil {
				return text, failed(http.StatusConflict, "%w", err)
			}
		}
	}
	return text, nil
}
