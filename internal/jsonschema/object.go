package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Object is a JSON object that keeps the order of its keys.
type Object struct {
	Keys   []string
	Values map[string]any
}

// Get gives a value; nil where there is none, or no object.
func (o *Object) Get(key string) any {
	if o == nil {
		return nil
	}
	return o.Values[key]
}

// Text gives a value that is a text, else an empty one.
func (o *Object) Text(key string) string {
	s, _ := o.Get(key).(string)
	return s
}

// maxDepth bounds how deep JSON and schemas may be nested.
const maxDepth = 2000

var errTooDeep = fmt.Errorf("it is nested more than %d deep", maxDepth)

// Decode reads one JSON value: objects are *Object, numbers json.Number.
func Decode(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decode(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one JSON value")
	}
	return v, nil
}

func decode(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	t, err := d.Token()
	if errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := &Object{Values: map[string]any{}}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decode(d, depth+1)
			if err != nil {
				return nil, err
			}
			name := key.(string) // as the decoder has checked
			if _, twice := o.Values[name]; !twice {
				o.Keys = append(o.Keys, name)
			}
			o.Values[name] = v
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decode(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return t, nil
}

// MarshalJSON writes the object in its order.
func (o *Object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, key := range o.Keys {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.Values[key])
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// text gives a value as JSON, to compare it.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // what was read as JSON can be written
	}
	return string(b)
}

// Plain gives a value with its objects as maps.
func Plain(v any) any {
	switch x := v.(type) {
	case *Object:
		m := make(map[string]any, len(x.Values))
		for k, e := range x.Values {
			m[k] = Plain(e)
		}
		return m
	case []any:
		list := make([]any, len(x))
		for i, e := range x {
			list[i] = Plain(e)
		}
		return list
	}
	return v
}
