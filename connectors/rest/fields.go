package rest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// fieldsOf is forms made of the fields of records. With many records of a request a
// field that is null is there, empty: names repeat, and their values keep their
// places.
type fieldsOf bool

// each calls field for each field of a record's value, one named value where it has
// none.
func (many fieldsOf) each(r *connector.Record, field func(name string, schema *connector.Schema, v any) error) error {
	call := func(name string, schema *connector.Schema, v any) error {
		if v == nil && !bool(many) {
			return nil
		}
		if err := field(name, schema, v); err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		return nil
	}
	switch v := r.Value.(type) {
	case *connector.Struct:
		for i, f := range v.Schema().Fields() {
			if err := call(f.Name, f.Schema, v.At(i)); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := call(name, r.ValueSchema.Elem(), v[name]); err != nil {
				return err
			}
		}
		return nil
	}
	return call("value", r.ValueSchema, r.Value)
}

// plain gives a field's text: that of JSON, without quotes. whole tells that it is a
// JSON document.
func plain(schema *connector.Schema, v any) (text string, whole bool, err error) {
	switch v := v.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, false, nil
	case []any, map[string]any, map[any]any, *connector.Struct:
		whole = true
	}
	json, err := plainjson.Append(nil, schema, v)
	if err != nil || whole {
		return string(json), true, err
	}
	return strings.Trim(string(json), `"`), false, nil // of times, base64 and NaN
}

// addForm adds a record's fields as those of a web form.
func (many fieldsOf) addForm(b *buffer, r *connector.Record) error {
	first := true
	return many.each(r, func(name string, schema *connector.Schema, v any) error {
		text, _, err := plain(schema, v)
		if err != nil {
			return err
		}
		if !first {
			b.flat = append(b.flat, '&')
		}
		first = false
		b.flat = append(append(b.flat, url.QueryEscape(name)...), '=')
		b.text(url.QueryEscape(text))
		return nil
	})
}

// newMultipart gives the form multipart/form-data: bytes are files, such as images,
// everything else is a field.
func newMultipart(many bool, filename template) form {
	boundary := "hydraulics-" + rand.Text()
	part := "--" + boundary + "\r\nContent-Disposition: "
	add := func(b *buffer, r *connector.Record) error {
		return fieldsOf(many).each(r, func(name string, schema *connector.Schema, v any) error {
			image, file := v.([]byte)
			if file {
				of, err := filename.append(nil, r, asIs)
				if err != nil {
					return err
				}
				b.text(part + multipart.FileContentDisposition(name, string(of)) + "\r\nContent-Type: " + http.DetectContentType(image) + "\r\n\r\n")
				b.bytes(image)
				b.text("\r\n")
				return nil
			}
			text, whole, err := plain(schema, v)
			if err != nil {
				return err
			}
			b.text(part + `form-data; name="` + formNames.Replace(name) + `"`)
			if whole {
				b.text("\r\nContent-Type: application/json")
			}
			b.text("\r\n\r\n")
			b.text(text)
			b.text("\r\n")
			return nil
		})
	}
	return form{contentType: "multipart/form-data; boundary=" + boundary, suffix: "--" + boundary + "--\r\n", add: add}
}

// formNames writes a field's name as browsers do.
var formNames = strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A")
