package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
)

// headerConverter gives the configured header converter of a side of the
// journey; the worker's configuration has one in any case.
func (b *builder) headerConverter(prefix string) (connector.HeaderConverter, *stage, error) {
	const word = "header converter"
	class, props := b.headerChoice(prefix)
	plugin, s, err := b.plugin(connector.HeaderConverterType, word, "", "HEADER_CONVERTER", class)
	if err != nil {
		return nil, nil, err
	}
	c, ok := plugin.(connector.HeaderConverter)
	if !ok {
		return nil, nil, connector.Fatal(fmt.Errorf("%s: %s is no header converter", word, class))
	}
	err = b.configure(s, plugin, props, func(conf connector.Config) error { return c.ConfigureHeaders(b.context, conf) })
	return c, s, err
}

// headerChoice gives the class and the configuration of a header converter.
func (b *builder) headerChoice(prefix string) (class string, props connector.Props) {
	const key = "header.converter"
	return b.choice("header", prefix+key, key)
}

func (b *builder) headerReader(prefix string) (*stage, error) {
	c, s, err := b.headerConverter(prefix)
	if err != nil {
		return nil, err
	}
	s.one = func(_ context.Context, it *item) error {
		if len(it.read.Headers) == 0 {
			return nil
		}
		headers := make(connector.Headers, len(it.read.Headers))
		for i, h := range it.read.Headers {
			schema, value, err := c.ToConnectHeader(it.read.Topic, h.Key, h.Value)
			if err != nil {
				return fmt.Errorf("header %s: %w", h.Key, err)
			}
			headers[i] = connector.Header{Key: h.Key, Schema: schema, Value: value}
		}
		it.record.Headers, it.headers = headers, headers
		return nil
	}
	return s, nil
}

// headerWriter writes headers. A stream that reads and writes them with the same
// converter passes those that no transform touched as the bytes that they were:
// SimpleHeaderConverter writes what it guessed, 12 for 12.0.
func (b *builder) headerWriter() (*stage, error) {
	c, s, err := b.headerConverter("")
	if err != nil {
		return nil, err
	}
	pass := b.spec.Kind == KindStream && b.sameHeaderConverters()
	s.one = func(_ context.Context, it *item) error {
		r := &it.record
		it.out.Topic, it.out.Partition, it.out.Timestamp = r.Topic, r.Partition, r.Timestamp
		if r.Topic == "" {
			return connector.Data(errors.New("the record has no topic"))
		}
		if len(r.Headers) == 0 {
			return nil
		}
		it.out.Headers = make([]kafka.Header, len(r.Headers))
		next := 0 // of the headers that were read: transforms keep their order
		for i, h := range r.Headers {
			if pass {
				if at := it.untouched(h, next); at >= 0 {
					it.out.Headers[i], next = it.read.Headers[at], at+1
					continue
				}
			}
			value, err := c.FromConnectHeader(r.Topic, h.Key, h.Schema, h.Value)
			if err != nil {
				return fmt.Errorf("header %s: %w", h.Key, err)
			}
			it.out.Headers[i] = kafka.Header{Key: h.Key, Value: value}
		}
		return nil
	}
	return s, nil
}

// sameHeaderConverters tells whether a stream reads and writes headers alike.
func (b *builder) sameHeaderConverters() bool {
	in, inProps := b.headerChoice("input.")
	out, outProps := b.headerChoice("")
	from, _ := b.registry.Lookup(connector.HeaderConverterType, in)
	to, _ := b.registry.Lookup(connector.HeaderConverterType, out)
	return from.Name == to.Name && maps.Equal(inProps, outProps)
}

// untouched gives which of the headers that were read, from the given one on, a
// header still is; -1 if none.
func (it *item) untouched(h connector.Header, from int) int {
	for i := from; i < len(it.headers); i++ {
		if was := it.headers[i]; was.Key == h.Key && was.Schema == h.Schema && same(was.Value, h.Value) {
			return i
		}
	}
	return -1
}

// same tells whether two values are one: equal, or the very same list or map.
func same(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case !x.IsValid() || !y.IsValid():
		return x.IsValid() == y.IsValid()
	case x.Type() != y.Type():
		return false
	case x.Kind() == reflect.Slice || x.Kind() == reflect.Map:
		return x.UnsafePointer() == y.UnsafePointer() && x.Len() == y.Len()
	}
	return x.Comparable() && a == b
}
