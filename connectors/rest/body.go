package rest

import (
	"fmt"
	"strconv"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/tostring"
)

// form is how the records of a request become its body.
type form struct {
	contentType               string
	prefix, separator, suffix string
	// add writes one record. What stands before or behind it does not change it, so
	// that a request can be halved. The error is about the record.
	add func(b *buffer, r *connector.Record) error
}

// newForm gives the form that a configuration names.
func newForm(conf connector.Config) form {
	many := conf.Int("batch.size") > 1
	var f form
	switch name := conf.String("format"); name {
	case formatJSON, formatLines:
		f = form{contentType: "application/json", add: addValue}
		if conf.String("body") == bodyRecord {
			f.add = addRecord
		}
		switch {
		case name == formatLines:
			f.contentType, f.separator, f.suffix = "application/x-ndjson", "\n", "\n"
		case many:
			f.prefix, f.separator, f.suffix = "[", ",", "]"
		}
	case formatForm:
		f = form{contentType: "application/x-www-form-urlencoded", separator: "&", add: fieldsOf(many).addForm}
	case formatMultipart:
		f = newMultipart(many, mustTemplate(conf.String("multipart.filename")))
	case formatInflux:
		f = form{contentType: textType, separator: "\n", suffix: "\n", add: newInflux(conf).add}
	default:
		f = form{contentType: textType, separator: "\n", suffix: "\n", add: map[string]func(*buffer, *connector.Record) error{
			formatRaw: addRaw, formatAuto: addAuto, formatText: addText}[name]}
	}
	if !many && (f.separator == "\n") {
		f.suffix = ""
	}
	for key, text := range map[string]*string{"batch.prefix": &f.prefix, "batch.separator": &f.separator, "batch.suffix": &f.suffix} {
		if conf.Has(key) {
			*text = unescape(conf.String(key))
		}
	}
	return f
}

const textType = "text/plain; charset=utf-8"

// unescape takes the escape sequences of Java's and Go's strings, which keep blanks
// at the end of a value from being trimmed. A text with a wrong one is as it is.
func unescape(text string) string {
	out := make([]byte, 0, len(text))
	for rest := text; rest != ""; {
		char, _, tail, err := strconv.UnquoteChar(rest, 0)
		if err != nil {
			return text
		}
		out, rest = append(out, string(char)...), tail
	}
	return string(out)
}

func addValue(b *buffer, r *connector.Record) error {
	return b.json(r.ValueSchema, r.Value)
}

// json adds a value as JSON.
func (b *buffer) json(schema *connector.Schema, v any) error {
	out, err := b.writer.Append(b.flat, schema, v)
	if err == nil {
		b.flat = out
	}
	return err
}

func addRaw(b *buffer, r *connector.Record) error {
	switch v := r.Value.(type) {
	case string:
		b.text(v)
	case []byte:
		b.bytes(v)
	default:
		return fmt.Errorf("the value is a %s, but format=raw sends text and bytes only", tostring.Class(r.Value))
	}
	return nil
}

func addAuto(b *buffer, r *connector.Record) error {
	switch r.Value.(type) {
	case string, []byte:
		return addRaw(b, r)
	}
	return addValue(b, r)
}

func addText(b *buffer, r *connector.Record) error {
	if v, ok := r.Value.([]byte); ok {
		b.bytes(v)
		return nil
	}
	b.text(tostring.String(r.Value))
	return nil
}

// addRecord adds a record as an object of all that it holds.
func addRecord(b *buffer, r *connector.Record) error {
	field := func(before, name string, schema *connector.Schema, v any) error {
		b.flat = append(strconv.AppendQuote(append(b.flat, before...), name), ':')
		return b.json(schema, v)
	}
	_ = field("{", "topic", nil, r.Origin.Topic) // these three always have a form
	_ = field(",", "partition", nil, r.Origin.Partition)
	_ = field(",", "offset", nil, r.Origin.Offset)
	if r.Timestamp != connector.NoTimestamp {
		_ = field(",", "timestamp", nil, r.Timestamp)
	}
	if err := field(",", "key", r.KeySchema, r.Key); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if err := field(",", "value", r.ValueSchema, r.Value); err != nil {
		return err
	}
	b.flat = append(b.flat, `,"headers":[`...)
	for i, h := range r.Headers {
		if i > 0 {
			b.flat = append(b.flat, ',')
		}
		_ = field("{", "key", nil, h.Key)
		if err := field(",", "value", h.Schema, h.Value); err != nil {
			return fmt.Errorf("header %s: %w", h.Key, err)
		}
		b.flat = append(b.flat, '}')
	}
	b.flat = append(b.flat, "]}"...)
	return nil
}
