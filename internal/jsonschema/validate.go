package jsonschema

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

// rootURL is the address of a schema that has none.
const rootURL = "schema:///schema.json"

// Validator tells whether values fit a schema.
type Validator struct{ compiled *jsonschema.Schema }

// Compile makes a validator. Its error is a mistake of the schema, as the schema of schemas says it.
func Compile(schema string, references ...Reference) (*Validator, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(expression)
	at := rootURL
	for i, r := range append([]Reference{{rootURL, schema}}, references...) {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(r.Text))
		if err != nil {
			return nil, fmt.Errorf("%s is not JSON: %w", r.Name, err)
		}
		name := r.Name
		if i > 0 && !strings.Contains(name, ":") {
			name = "schema:///" + strings.TrimPrefix(name, "/")
		}
		if object, ok := doc.(map[string]any); ok && i == 0 {
			if id, ok := object["$id"].(string); ok && strings.Contains(id, ":") {
				name, at = id, id
			}
		}
		if err := c.AddResource(name, doc); err != nil {
			return nil, err
		}
	}
	compiled, err := c.Compile(at)
	if err != nil {
		return nil, err
	}
	return &Validator{compiled}, nil
}

// noLoader fetches nothing: what a schema refers to must be given.
type noLoader struct{}

func (noLoader) Load(address string) (any, error) {
	return nil, fmt.Errorf("%s is not among the references", address)
}

// pattern is a regular expression as Java's registry reads it, with look-around.
type pattern struct {
	text     string
	compiled *regex.Regexp
}

func expression(text string) (jsonschema.Regexp, error) {
	compiled, err := regex.Compile("(?s:.*?)(?:" + text + ")(?s:.*)") // anywhere in a text
	if err != nil {
		return nil, err
	}
	return pattern{text, compiled}, nil
}

func (p pattern) String() string { return p.text }

// MatchString tells whether a part of a text matches. A match that takes too
// long counts as none.
func (p pattern) MatchString(text string) bool { return p.compiled.MatchString(text) }

// Validate checks a value in JSON. The error names the first place that does not fit.
func (v *Validator) Validate(data []byte) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		return err
	}
	err = v.compiled.Validate(value)
	found, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err
	}
	for len(found.Causes) > 0 {
		found = found.Causes[0]
	}
	text := found.Error()
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = strings.TrimPrefix(strings.TrimSpace(text[i+1:]), "- ")
	}
	return errors.New(text)
}
