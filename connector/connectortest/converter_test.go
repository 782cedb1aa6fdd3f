package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// plain is a converter that keeps its promises: plain JSON. The functions spoil it.
type plain struct {
	info
	configure func() error
	write     func(schema *connector.Schema, value any) ([]byte, error)
	read      func(data []byte) (any, error)
	close     func() error
}

func (p *plain) Configure(connector.Context, connector.Config, bool) error {
	if p.configure != nil {
		return p.configure()
	}
	return nil
}

func (p *plain) FromConnect(_ context.Context, _ string, schema *connector.Schema, value any) ([]byte, error) {
	if p.write != nil {
		return p.write(schema, value)
	}
	return writePlain(schema, value)
}

func writePlain(schema *connector.Schema, value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	if s, ok := value.(*connector.Struct); ok {
		if err := s.Validate(); err != nil {
			return nil, err
		}
		fields := map[string]any{}
		for _, f := range s.Schema().Fields() {
			fields[f.Name], _ = s.Get(f.Name)
		}
		value = fields
	}
	data, err := json.Marshal(value)
	return data, connector.Data(err)
}

func (p *plain) ToConnect(_ context.Context, _ string, data []byte) (*connector.Schema, any, error) {
	if p.read != nil {
		v, err := p.read(data)
		return nil, v, err
	}
	v, err := readPlain(data)
	return nil, v, err
}

func readPlain(data []byte) (v any, err error) {
	if data == nil {
		return nil, nil
	}
	return v, connector.Data(json.Unmarshal(data, &v))
}

func (p *plain) Close() error {
	if p.close != nil {
		return p.close()
	}
	return nil
}

func converterCase(spoil func(p *plain)) ConverterCase {
	return ConverterCase{
		New:    func() connector.Converter { p := new(plain); spoil(p); return p },
		Values: []Pair{{Value: map[string]any{"a": "x", "b": []any{1.5, nil}}}, {Value: "text"}, {Value: true}},
		Bad:    [][]byte{[]byte(`{"a":`), {}},
	}
}

func TestConverterThatKeepsItsPromises(t *testing.T) {
	Converter(t, converterCase(func(*plain) {}))
}

func TestBadConverters(t *testing.T) {
	bad := func(name, fails, says string, spoil func(p *plain)) badCase {
		return badCase{name: name, fails: fails, says: says, promises: converterCase(spoil).promises()}
	}
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	leaks := bad("a goroutine for each configuration", "leaves no goroutine", "goroutines are left behind", func(p *plain) {
		p.configure = func() error { go func() { <-forever }(); return nil }
	})
	leaks.waits = true
	var writes atomic.Int64
	const reads, null, stay, misfits = "reads back what it writes", "null stays null", "bytes stay as they are",
		"refuses values that do not fit and names the field"
	runBad(t, []badCase{
		leaks,
		bad("loses a part of a value", reads, `comes back as`, func(p *plain) {
			p.read = func(data []byte) (any, error) { v, err := readPlain(data); return fmt.Sprint(v), err }
		}),
		bad("other bytes each time", reads, "is written differently the second time", func(p *plain) {
			p.write = func(s *connector.Schema, v any) ([]byte, error) {
				data, err := writePlain(s, v)
				return append(data, bytes.Repeat([]byte{' '}, int(writes.Add(1)%5))...), err
			}
		}),
		bad("null becomes a word", null, `null is written as "null"`, func(p *plain) {
			p.write = func(s *connector.Schema, v any) ([]byte, error) {
				if v == nil {
					return []byte("null"), nil
				}
				return writePlain(s, v)
			}
		}),
		bad("null becomes an empty text", null, "null is read as", func(p *plain) {
			p.read = func(data []byte) (any, error) {
				if data == nil {
					return "", nil
				}
				return readPlain(data)
			}
		}),
		bad("changes values", "leaves values as they are", "value 0 was changed", func(p *plain) {
			p.write = func(s *connector.Schema, v any) ([]byte, error) {
				data, err := writePlain(s, v)
				if m, ok := v.(map[string]any); ok {
					delete(m, "a")
				}
				return data, err
			}
		}),
		bad("one buffer for all bytes", stay, "were changed after they were handed over", func(p *plain) {
			var one []byte
			p.write = func(s *connector.Schema, v any) ([]byte, error) {
				data, err := writePlain(s, v)
				one = append(one[:0], data...)
				return one, err
			}
		}),
		bad("one map for all values", stay, "was changed after it was read", func(p *plain) {
			one := map[string]any{}
			p.read = func([]byte) (any, error) { one["n"] = len(one) + 1; one[fmt.Sprint(len(one))] = true; return one, nil }
		}),
		bad("keeps the bytes it reads", "does not keep the bytes it reads", "keeps the bytes it was read from", func(p *plain) {
			p.read = func(data []byte) (any, error) { return map[string]any{"raw": data}, nil }
		}),
		bad("changes the bytes it reads", "does not keep the bytes it reads", "the bytes that were read are changed", func(p *plain) {
			p.read = func(data []byte) (any, error) { v, err := readPlain(data); data[0] = 0; return v, err }
		}),
		bad("bad bytes are null", "refuses bad bytes", "is read as", func(p *plain) {
			p.read = func(data []byte) (any, error) { v, _ := readPlain(data); return v, nil }
		}),
		bad("bad bytes end the task", "refuses bad bytes", "is fatal, want data", func(p *plain) {
			p.read = func(data []byte) (any, error) {
				v, err := readPlain(data)
				return v, connector.Fatal(err)
			}
		}),
		bad("takes what does not fit", misfits, `"text" as int32 is written as`, func(p *plain) {
			p.write = func(s *connector.Schema, v any) ([]byte, error) {
				if o, ok := v.(*connector.Struct); ok {
					return []byte(fmt.Sprint(o.Values())), nil
				}
				return writePlain(s, v)
			}
		}),
		bad("does not name the field", misfits, "the error does not name the field", func(p *plain) {
			p.write = func(s *connector.Schema, v any) ([]byte, error) {
				data, err := writePlain(s, v)
				if err != nil {
					err = errors.New("a value does not fit")
				}
				return data, err
			}
		}),
		bad("panics on an odd value", "odd values do no harm", "panic", func(p *plain) {
			p.write = func(s *connector.Schema, v any) ([]byte, error) { return []byte(v.(string)), nil }
		}),
		bad("instances share a state", "instances do not disturb each other", "beside other instances", func(p *plain) {
			n := writes.Add(1)
			p.write = func(s *connector.Schema, v any) ([]byte, error) {
				data, err := writePlain(s, v)
				return append(data, strings.Repeat(" ", int(n))...), err
			}
		}),
		bad("fails to close again", "closes twice and without a configuration", "close: closed already", func(p *plain) {
			closed := false
			p.close = func() error {
				if closed {
					return errors.New("closed already")
				}
				closed = true
				return nil
			}
		}),
	})
}
