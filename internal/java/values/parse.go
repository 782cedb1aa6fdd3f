package values

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/dateformat"
	"github.com/axiom-data-science/hydraulics/internal/java/number"
)

// maxDepth bounds how deep arrays and maps nest; what nests deeper is a text.
const maxDepth = 200

// Pair is a value and its schema. Both are nil for null.
type Pair struct {
	Schema *connector.Schema
	Value  any
}

// Parse guesses what a text means: Values.parseString. What is nothing else is
// the text itself.
func Parse(text string) Pair {
	if text == "" {
		return Pair{connector.StringSchema, text}
	}
	p := &parser{tokens: tokens{text: text}}
	pair, err := p.parse(false)
	if err != nil {
		return Pair{connector.StringSchema, text}
	}
	return pair
}

type parser struct {
	tokens
	depth int
}

// literal takes a token that is a value of its own. At the top nothing may follow it.
func (p *parser) literal(embedded bool, text string) bool {
	start := p.mark()
	if p.consume(text) && (embedded || !p.hasNext()) {
		return true
	}
	p.rewind(start)
	return false
}

// parse reads a value; embedded tells that it is a part of another one.
func (p *parser) parse(embedded bool) (Pair, error) {
	switch {
	case !p.hasNext():
		return Pair{}, nil
	case embedded && p.consume(`"`):
		return p.quoted(), nil
	case p.literal(embedded, "null"):
		return Pair{}, nil
	case p.literal(embedded, "true"):
		return Pair{connector.BooleanSchema, true}, nil
	case p.literal(embedded, "false"):
		return Pair{connector.BooleanSchema, false}, nil
	}
	start := p.mark()
	pair, found, err := p.collection()
	if found && err == nil {
		return pair, nil
	}
	if err != nil {
		p.rewind(start)
	}
	token := p.take()
	if trim(token) == "" {
		return Pair{connector.StringSchema, token}, nil
	}
	return p.token(embedded, trim(token))
}

// collection reads an array or a map; found tells whether one begins here.
func (p *parser) collection() (pair Pair, found bool, err error) {
	if p.depth++; p.depth > maxDepth {
		return pair, true, fmt.Errorf("arrays and maps nest deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.consume("["):
		pair, err = p.array()
	case p.consume("{"):
		pair, err = p.entries()
	default:
		return pair, false, nil
	}
	return pair, true, err
}

func (p *parser) token(embedded bool, token string) (Pair, error) {
	first, _ := utf8.DecodeRuneInString(token)
	digit := unicode.IsDigit(first) && first <= 0xffff
	if digit {
		if pair, ok := p.temporal(token); ok {
			return pair, nil
		}
	}
	if digit || first == '+' || first == '-' {
		if d, ok := number.ParseDecimal(token); ok {
			return numeric(d), nil
		}
	}
	if embedded {
		return Pair{}, errors.New("embedded value is of no known form")
	}
	return Pair{connector.StringSchema, p.text}, nil
}

// quoted reads up to a closing quote. Dates are recognised in quotes, too.
func (p *parser) quoted() Pair {
	var content strings.Builder
	for p.hasNext() && !p.consume(`"`) {
		content.WriteString(p.take())
	}
	if pair, ok := date(content.String()); ok {
		return pair
	}
	return Pair{connector.StringSchema, content.String()}
}

func (p *parser) array() (Pair, error) {
	list := []any{}
	var elem merger
	for p.hasNext() {
		if p.consume("]") {
			for i, v := range list {
				var err error
				if list[i], err = elem.align(v); err != nil {
					return Pair{}, err
				}
			}
			return Pair{connector.ArrayOf(elem.common), list}, nil
		}
		if p.consume(",") {
			return Pair{}, errors.New("array element is empty")
		}
		pair, err := p.parse(true)
		if err != nil {
			return Pair{}, err
		}
		elem.merge(pair.Schema)
		list = append(list, pair.Value)
		at := p.mark()
		if p.consume("]") {
			p.rewind(at)
		} else if !p.consume(",") {
			return Pair{}, errors.New("array elements miss a comma")
		}
	}
	return Pair{}, errors.New("array misses its end")
}

func (p *parser) entries() (Pair, error) {
	var keys, elems merger
	all := [][2]any{}
	for p.hasNext() {
		if p.consume("}") {
			return mapOf(all, keys, elems)
		}
		if p.consume(",") {
			return Pair{}, errors.New("map entry is empty")
		}
		key, err := p.parse(true)
		switch {
		case err != nil:
			return Pair{}, err
		case key.Value == nil:
			return Pair{}, errors.New("map key is null")
		case !p.consume(":"):
			return Pair{}, errors.New("map entry misses its colon")
		}
		value, err := p.parse(true)
		if err != nil {
			return Pair{}, err
		}
		all = append(all, [2]any{key.Value, value.Value})
		p.consume(",")
		keys.merge(key.Schema)
		elems.merge(value.Schema)
	}
	return Pair{}, errors.New("map misses its end")
}

func mapOf(entries [][2]any, keys, elems merger) (Pair, error) {
	if keys.common == nil {
		elems.common = nil
	}
	texts, others := map[string]any{}, map[any]any{}
	for _, e := range entries {
		k, err := keys.align(e[0])
		if err != nil {
			return Pair{}, err
		}
		v, err := elems.align(e[1])
		if err != nil {
			return Pair{}, err
		}
		switch key := k.(type) {
		case string:
			texts[key] = v
		case []any, map[string]any, map[any]any, connector.Decimal, *big.Int:
			return Pair{}, fmt.Errorf("map key of type %T cannot be held", key)
		}
		others[k] = v
	}
	schema := connector.MapOf(keys.common, elems.common)
	if len(texts) == len(others) {
		return Pair{schema, texts}, nil
	}
	return Pair{schema, others}, nil
}

// temporal reads a date that starts with this token. The colons of a time split
// it into tokens.
func (p *parser) temporal(token string) (Pair, bool) {
	at := p.mark()
	if rest, ok := p.takeAll(4); ok {
		if pair, ok := date(token + rest); ok {
			return pair, true
		}
	}
	p.rewind(at)
	return date(token)
}

var (
	dateOnly  = dateformat.MustCompile("yyyy-MM-dd")
	timeOnly  = dateformat.MustCompile("HH:mm:ss.SSS'Z'")
	timestamp = dateformat.MustCompile("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
)

// date reads a date, a time or a timestamp; the length says which one it is.
func date(text string) (Pair, bool) {
	text = strings.ReplaceAll(text, `\:`, ":")
	var format *dateformat.Format
	var schema *connector.Schema
	switch len(utf16.Encode([]rune(text))) {
	case len("HH:mm:ss.SSSZ"):
		format, schema = timeOnly, connector.TimeSchema
	case len("yyyy-MM-ddTHH:mm:ss.SSSZ"):
		format, schema = timestamp, connector.TimestampSchema
	case len("yyyy-MM-dd"):
		format, schema = dateOnly, connector.DateSchema
	default:
		return Pair{}, false
	}
	t, ok := format.Parse(text)
	return Pair{schema, t}, ok
}

// numeric gives the narrowest type that holds a number.
func numeric(d connector.Decimal) Pair {
	if n, ok := exact(d); ok {
		switch {
		case n == int64(int8(n)):
			return Pair{connector.Int8Schema, int8(n)}
		case n == int64(int16(n)):
			return Pair{connector.Int16Schema, int16(n)}
		case n == int64(int32(n)):
			return Pair{connector.Int32Schema, int32(n)}
		}
		return Pair{connector.Int64Schema, n}
	}
	if f, _ := number.Float32(d); !math.IsInf(float64(f), 0) && d.Scale != 0 {
		return Pair{connector.Float32Schema, f}
	}
	if f, _ := number.Float64(d); !math.IsInf(f, 0) && d.Scale != 0 {
		return Pair{connector.Float64Schema, f}
	}
	return Pair{connector.DecimalSchema(d.Scale), d}
}

// exact gives a number that is an integer of 64 bits.
func exact(d connector.Decimal) (int64, bool) {
	if d.Unscaled.Sign() == 0 {
		return 0, true
	}
	if d.Scale <= -64 {
		return 0, false
	}
	n := number.Truncate(d)
	if d.Scale > 0 {
		if n.Sign() == 0 || new(big.Int).Mul(n, pow10(d.Scale)).Cmp(d.Unscaled) != 0 {
			return 0, false
		}
	}
	return n.Int64(), n.IsInt64()
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
