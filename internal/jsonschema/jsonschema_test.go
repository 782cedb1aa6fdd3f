package jsonschema

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestIncompatibilities(t *testing.T) {
	closed := func(properties string, more string) string {
		return `{"type":"object","additionalProperties":false,"properties":{` + properties + `}` + more + `}`
	}
	for name, c := range map[string]struct{ earlier, later, want string }{
		"the same":                        {`{"type":"string"}`, `{"type":"string"}`, ""},
		"anything":                        {`{"type":"string"}`, `{}`, ""},
		"another type":                    {`{"type":"string"}`, `{"type":"integer"}`, "TYPE_CHANGED at #"},
		"a number for an integer":         {`{"type":"integer"}`, `{"type":"number"}`, ""},
		"an integer for a number":         {`{"type":"number"}`, `{"type":"integer"}`, "TYPE_NARROWED"},
		"a longer text":                   {`{"type":"string","maxLength":3}`, `{"type":"string","maxLength":5}`, ""},
		"a shorter text":                  {`{"type":"string","maxLength":5}`, `{"type":"string","maxLength":3}`, "VALUE_DECREASED at #/maxLength"},
		"a limit":                         {`{"type":"number"}`, `{"type":"number","minimum":0}`, "KEYWORD_ADDED at #/minimum"},
		"multiples of a factor":           {`{"type":"number","multipleOf":0.5}`, `{"type":"number","multipleOf":0.25}`, ""},
		"other multiples":                 {`{"type":"number","multipleOf":2}`, `{"type":"number","multipleOf":3}`, "MULTIPLE_OF_CHANGED"},
		"a constant more":                 {`{"enum":["a"]}`, `{"enum":["a","b"]}`, ""},
		"a constant less":                 {`{"enum":["a","b"]}`, `{"enum":["a"]}`, "ENUM_ARRAY_CHANGED"},
		"null too":                        {`{"type":"string"}`, `{"oneOf":[{"type":"null"},{"type":"string"}]}`, ""},
		"no null":                         {`{"oneOf":[{"type":"null"},{"type":"string"}]}`, `{"type":"string"}`, "TYPE_CHANGED"},
		"one choice less":                 {`{"oneOf":[{"type":"null"},{"type":"string"},{"type":"integer"}]}`, `{"oneOf":[{"type":"null"},{"type":"string"}]}`, "SUM_TYPE_NARROWED"},
		"a property of a closed one more": {closed(`"a":{"type":"string"}`, ""), closed(`"a":{"type":"string"},"b":{"type":"string"}`, ""), ""},
		"and it must be there":            {closed(``, ""), closed(`"b":{"type":"string"}`, `,"required":["b"]`), "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"},
		"it has a default":                {closed(``, ""), closed(`"b":{"type":"string","default":""}`, `,"required":["b"]`), ""},
		"a property of a closed one less": {closed(`"a":{"type":"string"}`, ""), closed(``, ""), "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL at #/properties/a"},
		"a property of an open one more":  {`{"type":"object"}`, `{"type":"object","properties":{"a":{"type":"string"}}}`, "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"},
		"a property of an open one less":  {`{"type":"object","properties":{"a":{"type":"string"}}}`, `{"type":"object"}`, ""},
		"others fit":                      {`{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"object","additionalProperties":{"type":"string"},"properties":{"a":{"type":"string"}}}`, ""},
		"others do not":                   {`{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"object","additionalProperties":{"type":"string"},"properties":{"a":{"type":"integer"}}}`, "PROPERTY_ADDED_NOT_COVERED"},
		"items":                           {`{"type":"array","items":{"type":"string"}}`, `{"type":"array","items":{"type":"integer"}}`, "TYPE_CHANGED at #/items"},
		"a list of itself":                {`{"type":"object","properties":{"a":{"$ref":"#"},"b":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"$ref":"#"},"b":{"type":"integer"}}}`, "TYPE_CHANGED at #/properties/b"},
	} {
		t.Run(name, func(t *testing.T) {
			earlier, err := Parse(c.earlier)
			if err != nil {
				t.Fatal(err)
			}
			later, err := Parse(c.later)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(Incompatibilities(earlier, later), "; ")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestReferences(t *testing.T) {
	for name, ref := range map[string]string{"a definition": "#/definitions/D", "an id": "#d", "an anchor": "#anchor", "another": "other.json", "inside another": "other.json#/definitions/D", "by address": "http://h/other.json"} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(`{"$id":"http://h/root.json","properties":{"a":{"$ref":"`+ref+`"}},"definitions":{"D":{"type":"string"},"E":{"$id":"#d","type":"string"},"F":{"$anchor":"anchor","type":"string"}}}`,
				Reference{"other.json", `{"$id":"http://h/other.json","type":"string","definitions":{"D":{"type":"string"}}}`})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Properties[0].Schema.Resolve().Kind; got != String {
				t.Errorf("got kind %d", got)
			}
		})
	}
	for want, text := range map[string]string{
		"there is no such reference": `{"$ref":"nothing.json"}`, "there is no D": `{"$ref":"#/definitions/D"}`,
		"is none": `{"type":"thing"}`, "must be an object or a boolean": `{"properties":{"a":1}}`, "is not JSON": `{`,
		"nested more than": strings.Repeat(`{"not":`, 2100) + "{}" + strings.Repeat("}", 2100),
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	v, err := Compile(`{"type":"object","properties":{"a":{"type":"integer"},"b":{"$ref":"other.json"}},"required":["b"]}`, Reference{"other.json", `{"type":"string"}`})
	if err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{`{"b":"x"}`: "", `{"a":"1","b":"x"}`: "at '/a': got string, want integer", `{"b":1}`: "at '/b'", `{}`: "missing property 'b'"} {
		err := v.Validate([]byte(data))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", data, err, want)
		}
	}
	v, err = Compile(`{"type":"string","pattern":"^a(?!b)"}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Validate([]byte(`"xx\nac"`)); err == nil {
		t.Error("^ is the beginning of a line")
	}
	if v.Validate([]byte(`"acx"`)) != nil || v.Validate([]byte(`"abx"`)) == nil {
		t.Error("look-around is not understood")
	}
	for _, bad := range []string{`{`, `{"type":"thing"}`, `{"$ref":"nothing.json"}`} {
		if _, err := Compile(bad); err == nil {
			t.Errorf("%s is a schema", bad)
		}
	}
}

func TestOrder(t *testing.T) {
	const text = `{"z":1,"a":{"y":[1.50,null],"b":true}}`
	v, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(v); string(got) != text || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// FuzzParse reads whatever comes without a panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "true", `{"$ref":"#"}`, `{"allOf":[{"$ref":"#"}]}`, `{"type":["string","null"],"items":[{}],"not":{"enum":[1]}}`} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		if s, err := Parse(text); err == nil {
			_ = Incompatibilities(s, s)
		}
	})
}
