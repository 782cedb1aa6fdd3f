package rest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
)

// hiddenText stands for what is nobody's business.
const hiddenText = "[hidden]"

// leastHidden is the size from which a text is hidden in an answer. Shorter ones are
// part of other words.
const leastHidden = 4

// A service may repeat a text in part, such as the beginning of a long one: what
// follows leadHidden bytes of it is hidden for as long as it is the text. More than
// mostHidden bytes are in no answer.
const (
	leadHidden = 32
	mostHidden = mostAnswer
)

// mask replaces what is to be hidden, the longest first.
func mask(text string, hidden []string) string {
	for _, h := range hidden {
		text = strings.ReplaceAll(text, h, hiddenText)
		lead := h[:min(len(h), leadHidden)]
		for from := 0; ; {
			at := strings.Index(text[from:], lead)
			if at < 0 {
				break
			}
			at += from
			end := at + len(lead)
			for end < len(text) && end-at < len(h) && text[end] == h[end-at] {
				end++
			}
			text = text[:at] + hiddenText + text[end:]
			from = at + len(hiddenText)
		}
	}
	return text
}

// masked hides in an error's text. Its kind and code stay.
func (*Sink) masked(err error, hidden []string) error {
	mark, ok := err.(*connector.Error)
	if !ok {
		return err
	}
	if text := mask(mark.Err.Error(), hidden); text != mark.Err.Error() {
		other := *mark
		other.Err = connector.Coded(connector.CodeOf(err), plainError(text))
		return &other
	}
	return err
}

// plainError is an error whose causes would tell what is hidden.
type plainError string

func (e plainError) Error() string { return string(e) }

// secretsOf gives what a configuration keeps secret, in the forms in which a service
// may repeat it.
func secretsOf(conf connector.Config) []string {
	var all []string
	for _, k := range configDef().Keys() {
		if k.Type == connector.PasswordKey {
			all = append(all, conf.Password(k.Name).Secret())
		}
	}
	list, _ := secretHeaders(conf.Password("headers.secret"))
	for _, h := range list {
		all = append(all, h.value.text)
	}
	open, _ := parseHeaders(conf.List("headers"))
	for _, h := range open {
		if h.name == "Authorization" || h.name == "Cookie" {
			all = append(all, h.value.text)
		}
	}
	if user := conf.String("auth.user"); user != "" {
		all = append(all, base64.StdEncoding.EncodeToString([]byte(user+":"+conf.Password("auth.password").Secret())))
	}
	return inOrder(all)
}

// inOrder gives texts to hide, once each, the longest first.
func inOrder(texts []string) []string {
	texts = slices.DeleteFunc(texts, func(t string) bool { return len(t) < leastHidden })
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(texts)
}

// own gives the sink's secrets, with the login of a request.
func (s *Sink) own(login string) []string {
	return append(slices.Clone(s.secrets), login, strings.TrimPrefix(strings.TrimPrefix(login, "Bearer "), "Basic "))
}

// secrets gives what an answer to a group may not tell: secrets, and the values of
// its records.
func (w *work) secrets(login string, g group) []string {
	all := w.s.own(login)
	if w.s.trim {
		for _, m := range w.messages[g.first:g.last] {
			r := &w.records[m.record]
			all = values(all, r.KeySchema, r.Key)
			all = values(all, r.ValueSchema, r.Value)
			for _, h := range r.Headers {
				all = values(all, h.Schema, h.Value)
			}
		}
	}
	return inOrder(all)
}

// values adds the texts of a value's parts, as they are and as JSON and URLs have
// them.
func values(all []string, schema *connector.Schema, v any) []string {
	switch v := v.(type) {
	case *connector.Struct:
		for i, f := range v.Schema().Fields() {
			all = values(all, f.Schema, v.At(i))
		}
		return all
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = values(all, schema.Elem(), v[name])
		}
		return all
	case map[any]any:
		for name, e := range v {
			all = values(values(all, schema.Key(), name), schema.Elem(), e)
		}
		return all
	case []any:
		for _, e := range v {
			all = values(all, schema.Elem(), e)
		}
		return all
	case []byte:
		return values(all, schema, base64.StdEncoding.EncodeToString(v[:min(len(v), mostHidden/4*3)]))
	}
	text, _, err := plain(schema, v)
	text = text[:min(len(text), mostHidden)]
	if err != nil || len(text) < leastHidden {
		return all // spares the other forms
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return append(all, text)
	}
	return append(all, text, string(quoted[1:len(quoted)-1]), url.QueryEscape(text), url.PathEscape(text))
}

// excerpt gives the beginning of what the service said, on one line.
func excerpt(said []byte, hidden []string) string {
	const most, masked = 300, 8 << 10
	text := mask(string(said[:min(len(said), masked)]), hidden)
	line := strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if line == "" {
		return ""
	}
	if len(line) > most {
		end := most
		for !utf8.RuneStart(line[end]) {
			end--
		}
		line = line[:end] + "..."
	}
	return ": " + line
}
